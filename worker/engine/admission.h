// SPDX-License-Identifier: Apache-2.0
// Which pushed operations a hub takes. A refusal names what to do; the replica retracts the operation and
// goes on.
#pragma once

#include "core/oplog/op.h"

namespace kalends {

struct AdmissionContext {
  const Document& document;
  MemberId member;
  bool may_write = true;
};

Status admit(const AdmissionContext& context, const Op& op, const OpBody& body);

}  // namespace kalends
