// SPDX-License-Identifier: Apache-2.0
// A plan as bytes in, bytes out: what reconcile.wasm calls. From a card as a reader sees it, what its event
// says and what was last agreed to the steps that the server would take. Dates and ids are those of view.h;
// docs/protocol.md describes the messages.
#pragma once

#include <optional>

#include "core/base/bytes.h"
#include "core/calendar/card_content.h"
#include "core/reconcile/reconcile.h"
#include "core/wire/cbor.h"

namespace kalends {

struct PreviewRequest {
  std::optional<CardContent> card;   // nothing: there is no such card
  std::optional<Observation> event;  // nothing: never seen
  std::optional<Shadow> shadow;      // nothing: never agreed
  LinkPolicy policy;

  Situation situation() const;
};

Result<PreviewRequest> parse_preview(const Cbor& request);

// {steps, reasons, agrees}; each step has `do`, what it needs, and `text` for people.
Cbor view_plan(const Plan& plan, const PreviewRequest& request);

// A request is a CBOR map with "call": "preview"; the answer is an envelope (answer.h).
Bytes preview(ByteView request);

}  // namespace kalends
