# SPDX-License-Identifier: Apache-2.0
# find_package(kalends) gives kalends::core, a static library without dependencies.
include(${CMAKE_CURRENT_LIST_DIR}/kalends-targets.cmake)
