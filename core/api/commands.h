// SPDX-License-Identifier: Apache-2.0
// Commands as messages: {"do": "set", "entity": …, …}. The browser sends them to the core, the REST API
// builds the same ones from its JSON (docs/protocol.md lists them all).
#pragma once

#include <vector>

#include "core/model/document.h"
#include "core/replica/command.h"
#include "core/wire/cbor.h"

namespace kalends {

// `document` tells the type of the entities that commands name, hence the kind of value their fields take;
// entities created by an earlier command of the same list are known too.
Result<std::vector<Command>> parse_commands(const Document& document, const Cbor& list);

// {name: value, …} to fields of a type; "custom" is a map of its own, from custom field id to text.
Result<std::vector<FieldValue>> parse_fields(EntityType type, const Cbor& map);

}  // namespace kalends
