// SPDX-License-Identifier: Apache-2.0
// Backup and restore of a data folder.
#pragma once

#include <string>

#include "core/base/result.h"
#include "worker/app/settings.h"

namespace kalends {

// What was done, as a person reads it.
// Copies the folder's database into the new file `path`, also while a worker runs; with `with_key` the key
// too, as `path`.key.
Result<std::string> back_up(const Settings& settings, const std::string& path, bool with_key);

// Puts the backup `path` in the place of the folder's database, which is kept beside it, and with `key_path`
// not empty that key in the place of the folder's. kConflict: a worker runs in the folder. Nothing has
// changed after a failure.
Result<std::string> restore(const Settings& settings, const std::string& path, const std::string& key_path);

}  // namespace kalends
