// SPDX-License-Identifier: Apache-2.0
// The schema's history. Entry n brings a database from user_version n to n + 1. Entries are never edited once
// released: a change is a new file schema/NNNN_title.sql.
#pragma once

#include <span>
#include <string_view>

namespace kalends {

std::span<const std::string_view> schema_migrations();

}  // namespace kalends
