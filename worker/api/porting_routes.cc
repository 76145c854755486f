// SPDX-License-Identifier: Apache-2.0
#include "worker/api/context.h"

namespace kalends {

void add_porting_routes(Router&, const ApiServices&) {}

}  // namespace kalends
