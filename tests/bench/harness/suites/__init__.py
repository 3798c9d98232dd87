from . import link

ALL = {"link": link}
