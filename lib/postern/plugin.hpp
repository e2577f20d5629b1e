// Everything a plugin sees. Its own file includes this, and the public facts that it names.
#pragma once

#include <postern/base/chrono.hpp>
#include <postern/base/log.hpp>
#include <postern/base/siphash.hpp>
#include <postern/base/text.hpp>
#include <postern/base/timestamp.hpp>
#include <postern/coro/deadline.hpp>
#include <postern/coro/group.hpp>
#include <postern/coro/sleep.hpp>
#include <postern/coro/slots.hpp>
#include <postern/dns/forward_confirmed.hpp>
#include <postern/dns/names.hpp>
#include <postern/dns/resolver.hpp>
#include <postern/mail/address.hpp>
#include <postern/mail/date.hpp>
#include <postern/plugin/auth.hpp>
#include <postern/plugin/line_files.hpp>
#include <postern/plugin/module.hpp>
#include <postern/plugin/network.hpp>
#include <postern/plugin/notices.hpp>
#include <postern/plugin/plugin.hpp>
#include <postern/plugin/pool.hpp>
#include <postern/plugin/routes.hpp>
#include <postern/plugin/verdict_words.hpp>
#include <postern/plugin/views.hpp>
#include <postern/policy/all_matches.hpp>
#include <postern/policy/domain_list.hpp>
#include <postern/policy/mailbox_folder.hpp>
#include <postern/policy/network_list.hpp>
#include <postern/store/state.hpp>

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <vector>

namespace postern::plugins {

using namespace std::chrono_literals;

using coro::Group;
using coro::Task;
using plugin::Accepted;
using plugin::AFact;
using plugin::Arrival;
using plugin::AuthAnswer;
using plugin::AuthAttempt;
using plugin::AuthSecret;
using plugin::Command;
using plugin::Disconnected;
using plugin::EnhancedCode;
using plugin::Fact;
using plugin::Fields;
using plugin::Hello;
using plugin::Hook;
using plugin::HookPoint;
using plugin::Hooks;
using plugin::LineFile;
using plugin::LineFiles;
using plugin::Message;
using plugin::offload;
using plugin::parse_verdict;
using plugin::Plugin;
using plugin::PluginOf;
using plugin::Recipient;
using plugin::Recorded;
using plugin::Rejected;
using plugin::Reset;
using plugin::Routes;
using plugin::Service;
using plugin::Session;
using plugin::Step;
using plugin::Tick;
using plugin::Transaction;
using plugin::Verdict;
using policy::AddressList;
using policy::all_matches;
using policy::DomainDirectory;
using policy::DomainList;
using policy::DomainPattern;
using policy::FilePath;
using policy::MailboxFolder;
using policy::NetworkList;
using policy::PatternList;
using policy::RecipientList;
using policy::Schema;
using policy::SecretList;
using policy::written_entries;
using smtp::AuthMechanism;
using store::Bucket;
using store::Place;
using store::State;

}  // namespace postern::plugins
