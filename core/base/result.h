// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error. A subset of std::expected, without exceptions.
#pragma once

#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/base/check.h"
#include "core/base/error.h"

namespace kalends {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : is_ok_(true), value_(std::move(value)) {}
  Result(Error error) : is_ok_(false), error_(std::move(error)) {}
  Result(const Result& other)
    requires std::is_copy_constructible_v<T>
      : is_ok_(other.is_ok_) {
    if (is_ok_)
      new (&value_) T(other.value_);
    else
      new (&error_) Error(other.error_);
  }
  Result(Result&& other) noexcept : is_ok_(other.is_ok_) {
    if (is_ok_)
      new (&value_) T(std::move(other.value_));
    else
      new (&error_) Error(std::move(other.error_));
  }
  Result& operator=(Result&& other) noexcept {
    if (this != &other) {
      this->~Result();
      new (this) Result(std::move(other));
    }
    return *this;
  }
  ~Result() {
    if (is_ok_)
      value_.~T();
    else
      error_.~Error();
  }

  bool ok() const { return is_ok_; }
  explicit operator bool() const { return ok(); }

  // Requires: ok().
  T& value() & {
    KALENDS_CHECK(ok());
    return value_;
  }
  const T& value() const& {
    KALENDS_CHECK(ok());
    return value_;
  }
  T&& value() && {
    KALENDS_CHECK(ok());
    return std::move(value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Requires: !ok().
  const Error& error() const {
    KALENDS_CHECK(!ok());
    return error_;
  }

 private:
  // By hand rather than std::variant: a Result is returned all over the core, and this is a tenth of the code.
  bool is_ok_;
  union {
    T value_;
    Error error_;
  };
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
