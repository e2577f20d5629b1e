// What plugins need of a PatternList whose entries are pairs or rules, and not only one of them.
#pragma once

#include <postern/policy/lists.hpp>

#include <string_view>
#include <vector>

namespace postern::policy {

// Every entry that matches, in the list's order; valid until the loop turns.
std::vector<const PatternList::Entry*> all_matches(const PatternList& list,
                                                   std::string_view address);

// Those that stand in the configuration itself: what is wrong with one of them is an error there.
// Valid as long as the list.
std::vector<PatternList::Entry> written_entries(const PatternList& list);

}  // namespace postern::policy
