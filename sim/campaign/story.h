/* story.h: a run told in words: which datagrams were lost, what nodes did, as comment lines of a
 * scenario; and which packets random loss took. Both run the scenario in this process: it must not
 * crash.
 */
#ifndef MESHD_SIM_CAMPAIGN_STORY_H
#define MESHD_SIM_CAMPAIGN_STORY_H

#include <stdint.h>

#include "sim/campaign/trial.h"
#include "sim/text/text.h"

enum { STORY_LINES = 60 };

/* At most STORY_LINES lines: the beginning, and what came before the end. */
void story_tell(const struct trial_job *job, struct text *out);
/* "lose NAME up 3 17" lines for every packet that `loss` or `burst` took. */
void story_losses(const struct trial_job *job, struct text *out);

#endif
