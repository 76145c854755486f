// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/pair_facts.h"

#include "core/reconcile/absorb.h"
#include "worker/google/json.h"

namespace kalends {

std::optional<Observation> stored_observation(const PairRow& row) {
  if (row.observation.empty()) return std::nullopt;
  auto observation = decode_observation(row.observation);
  return observation.ok() ? std::optional(*observation) : std::nullopt;
}

std::optional<Shadow> stored_shadow(const PairRow& row) {
  if (row.shadow.empty()) return std::nullopt;
  auto shadow = decode_shadow(row.shadow);
  return shadow.ok() ? std::optional(*shadow) : std::nullopt;
}

Bytes encode_requests(const EventFacet& facet, const AttemptRow* earlier) {
  Writer out;
  write_facet(out, facet);
  if (!earlier) return out.take();
  Reader in(earlier->request);
  constexpr size_t kRequestsKept = 4;
  for (size_t kept = 1; kept < kRequestsKept && in.ok() && in.remaining() > 0; ++kept) {
    EventFacet older = read_facet(in);
    if (in.ok()) write_facet(out, older);
  }
  return out.take();
}

void absorb_all(const std::vector<AttemptRow>& attempts, FacetMask mask, Situation& situation) {
  for (const AttemptRow& attempt : attempts) {
    Reader in(attempt.request);
    while (in.ok() && in.remaining() > 0) {
      EventFacet asked = read_facet(in);
      if (in.ok()) absorb({static_cast<RemoteWrite>(attempt.kind), asked}, mask, situation);
    }
  }
}

std::string joined(const std::vector<std::string>& reasons) {
  std::string text;
  for (const std::string& reason : reasons) text += (text.empty() ? "" : "; ") + reason;
  return text;
}

Bytes explanation(const Plan& plan, int64_t now_ms) {
  static constexpr std::string_view kWrites[] = {"none", "insert", "patch", "delete"};
  Json json = {
      {"at_ms", now_ms}, {"write", kWrites[static_cast<size_t>(plan.write)]}, {"reasons", plan.reasons}};
  return to_bytes(json_dump(json));
}

Shadow void_agreement() {
  EventFacet nothing;
  nothing.title = nothing.description = nothing.location = nothing.colour = "\x1F";
  nothing.start = nothing.end = When::all_day({0});
  return {nothing, nothing};
}

bool is_void_agreement(const Shadow& shadow) { return shadow.ours == void_agreement().ours; }

bool removes_date(const Plan& plan) {
  return plan.change == CardChange::kUnschedule || plan.change == CardChange::kArchive;
}

}  // namespace kalends
