// PCRE2 in its 8-bit form. The constants that are macros with a cast, which Swift doesn't import, are named here again.
#pragma once
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static const size_t RF_PCRE2_ZERO_TERMINATED = PCRE2_ZERO_TERMINATED;
