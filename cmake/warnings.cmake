# STYLE's compiler flags, those that the compiler at hand knows.
include(CheckCCompilerFlag)
set(MESHD_WARNINGS)
foreach(flag -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wundef
             -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wcast-qual
             -Wcast-align=strict -Wwrite-strings -Wpointer-arith -Wnull-dereference
             -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wswitch-enum -Wvla
             -Wimplicit-fallthrough=5)
  string(MAKE_C_IDENTIFIER "HAS${flag}" var)
  check_c_compiler_flag("-Werror ${flag}" ${var})
  if(${var})
    list(APPEND MESHD_WARNINGS ${flag})
  endif()
endforeach()
if(MESHD_WERROR)
  list(APPEND MESHD_WARNINGS -Werror)
endif()

# Asserts hold in every build: what we caused must not go on (STYLE).
set(MESHD_HARDENING -fno-strict-aliasing -fno-common -UNDEBUG)
set(MESHD_LINK_HARDENING)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  list(APPEND MESHD_HARDENING -fstack-protector-strong -fstack-clash-protection
       -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fPIE)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
    list(APPEND MESHD_HARDENING -fcf-protection=full)
  endif()
  list(APPEND MESHD_LINK_HARDENING -pie -Wl,-z,relro -Wl,-z,now)
endif()
if(MESHD_SANITIZE)
  list(APPEND MESHD_HARDENING -fsanitize=${MESHD_SANITIZE} -fno-omit-frame-pointer
       -fno-sanitize-recover=all)
  list(APPEND MESHD_LINK_HARDENING -fsanitize=${MESHD_SANITIZE})
endif()
if(MESHD_COVERAGE)
  list(APPEND MESHD_HARDENING --coverage)
  list(APPEND MESHD_LINK_HARDENING --coverage)
endif()
