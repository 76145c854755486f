// SPDX-License-Identifier: Apache-2.0
// KALENDS_CHECK: always on, for what only our own bug can cause. Never for input.
#pragma once

#define KALENDS_CHECK(condition)        \
  do {                                  \
    if (!(condition)) __builtin_trap(); \
  } while (false)
