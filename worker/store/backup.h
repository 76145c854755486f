// SPDX-License-Identifier: Apache-2.0
// Copies of a database that can be trusted: taken while others write to it, and looked at before they count.
#pragma once

#include <string>

#include "core/base/result.h"

namespace kalends {

// Copies the database `source`, which others may have open and write to, into the new file `target`: one
// moment of it, whole, checked, flushed, in one file. kConflict: `target` is there already. Nothing is left
// of it after a failure.
Status copy_database(const std::string& source, const std::string& target);

// kCorrupt: the file is no database, or damaged; the message says where. The file is data, whoever made it:
// nothing in it is executed.
Status check_database(const std::string& path);

// Whether its tables are those of a schema of ours, and nothing beside them: a trigger or a view of somebody
// else's would work on our data. kUnsupportedVersion: of a newer Kalends.
Status expect_own_schema(const std::string& path);

// Empties the write-ahead log into the database, so that one file is all of it.
// Requires: nobody has it open.
Status settle_database(const std::string& path);

}  // namespace kalends
