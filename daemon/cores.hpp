// How many workers a machine wants: one for each core that we may use.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace postern::daemon {

// The smaller of the affinity and the cgroup's cpu.max, rounded up; at least 1.
std::size_t usable_cores();

// Of the content of a cgroup's cpu.max: "150000 100000" is 2, "max 100000" is no limit.
std::optional<std::size_t> cores_of_quota(std::string_view cpu_max);

}  // namespace postern::daemon
