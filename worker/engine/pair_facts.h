// SPDX-License-Identifier: Apache-2.0
// What is stored of one pair, read and written: observation, shadow, what attempts asked for, and why the
// last plan was made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/reconcile/reconcile.h"
#include "worker/ports/store.h"

namespace kalends {

std::optional<Observation> stored_observation(const PairRow& row);
std::optional<Shadow> stored_shadow(const PairRow& row);

// What an attempt asked for; after it, newest first, what earlier ones of its kind asked whose answers were
// lost too: any of them may be what the event shows.
Bytes encode_requests(const EventFacet& facet, const AttemptRow* earlier);
void absorb_all(const std::vector<AttemptRow>& attempts, FacetMask mask, Situation& situation);

std::string joined(const std::vector<std::string>& reasons);
Bytes explanation(const Plan& plan, int64_t now_ms);
bool removes_date(const Plan& plan);

// The agreement that nothing equals: under new settings the next plan writes the event anew, whole.
Shadow void_agreement();
bool is_void_agreement(const Shadow& shadow);

}  // namespace kalends
