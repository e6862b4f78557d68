// What one asks of the pages of a region: make them durable, bring them in, count them.
#pragma once

#include <cstdint>
#include <string>

#include "region.h"

namespace ringmq {

/// Makes [from, to) durable, and what else of its file is written; the region's error when it has one there. 0 or -errno.
int syncRegion(const Region& region, size_t from, size_t to);
/// -1 for a name that is not an advice.
int adviceByName(const std::string& name);
int adviseRegion(const Region& region, size_t from, size_t length, int advice);
/// Number of pages or -errno.
int64_t residentPages(const Region& region, size_t from, size_t length);
/// Reads one byte of each page. 0 or -errno.
int populateRegion(const Region& region, size_t from, size_t length);

}  // namespace ringmq
