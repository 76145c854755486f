// SPDX-License-Identifier: Apache-2.0
// KALENDS_TRY for coroutines.
#pragma once

#include "core/base/result.h"

#define KALENDS_CO_TRY(target, expression)                                              \
  auto KALENDS_TRY_NAME_(__LINE__) = (expression);                                      \
  if (!KALENDS_TRY_NAME_(__LINE__).ok()) co_return KALENDS_TRY_NAME_(__LINE__).error(); \
  target = std::move(KALENDS_TRY_NAME_(__LINE__)).value()
#define KALENDS_CO_TRY_VOID(expression)                           \
  do {                                                            \
    auto kalends_status_ = (expression);                          \
    if (!kalends_status_.ok()) co_return kalends_status_.error(); \
  } while (false)
