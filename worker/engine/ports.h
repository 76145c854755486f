// SPDX-License-Identifier: Apache-2.0
// The ports that the engine is built on, in one bundle.
#pragma once

#include "worker/engine/effects.h"
#include "worker/ports/clock.h"
#include "worker/ports/entropy.h"
#include "worker/ports/log.h"
#include "worker/ports/secret_box.h"
#include "worker/ports/store.h"

namespace kalends {

struct Ports {
  Store& store;
  Effects& effects;
  Clock& clock;
  Entropy& entropy;
  SecretBox& secrets;
  Log& log;
};

}  // namespace kalends
