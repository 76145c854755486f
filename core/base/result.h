// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error. A subset of std::expected, without exceptions.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/base/error.h"

namespace kalends {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Requires: ok().
  T& value() & {
    KALENDS_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    KALENDS_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    KALENDS_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Requires: !ok().
  const Error& error() const {
    KALENDS_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}
  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    KALENDS_CHECK(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

inline Error invalid(std::string message) { return {ErrorCode::kInvalid, std::move(message), 0}; }
inline Error corrupt(std::string message) { return {ErrorCode::kCorrupt, std::move(message), 0}; }
inline Error not_found(std::string message) { return {ErrorCode::kNotFound, std::move(message), 0}; }

}  // namespace kalends

// Evaluates a Result expression; returns its error from the enclosing function, or binds its value to
// `target`.
#define KALENDS_TRY_CONCAT_(a, b) a##b
#define KALENDS_TRY_NAME_(line) KALENDS_TRY_CONCAT_(kalends_try_, line)
#define KALENDS_TRY(target, expression)                                              \
  auto KALENDS_TRY_NAME_(__LINE__) = (expression);                                   \
  if (!KALENDS_TRY_NAME_(__LINE__).ok()) return KALENDS_TRY_NAME_(__LINE__).error(); \
  target = std::move(KALENDS_TRY_NAME_(__LINE__)).value()
#define KALENDS_TRY_VOID(expression)                           \
  do {                                                         \
    auto kalends_status_ = (expression);                       \
    if (!kalends_status_.ok()) return kalends_status_.error(); \
  } while (false)
