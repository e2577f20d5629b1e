// mailinglist_simple: what a mailing list wants of an alias: who may post, no circles, its fields.
#include <postern/plugin.hpp>

#include <algorithm>

namespace postern::plugins {
namespace {

enum class Posters : std::uint8_t { members, all };
constexpr auto names_of(Posters) { return std::array<std::string_view, 2>{"members", "all"}; }
enum class By : std::uint8_t { both, sender, from };
constexpr auto names_of(By) { return std::array<std::string_view, 3>{"both", "sender", "from"}; }

struct MailingList {
  std::string address;
  Posters posters = Posters::members;
  AddressList members;
  By by = By::both;
  std::string reply_to;
  bool fields = true;

  static void describe(Schema<MailingList>& schema) {
    schema.key("address", &MailingList::address, "the list's address").required();
    schema.key("posters", &MailingList::posters, "who may write to it");
    schema.key("members", &MailingList::members,
               "those who may: an address, @domain or .domain each; with members_file a list "
               "manager's own file of subscribers");
    schema.key("by", &MailingList::by,
               "what must be a member: the sender of the envelope, all authors in From, or both");
    schema.key("reply_to", &MailingList::reply_to, "the Reply-To field that it gets instead");
    schema.key("fields", &MailingList::fields,
               "whether it gets List-Id, List-Post, X-Mailing-List and Precedence");
  }
};

class MailingListSimple final : public PluginOf<MailingListSimple> {
 public:
  static constexpr const char* summary = "Lets members write to a mailing list, and names it.";
  struct Settings {
    std::vector<MailingList> lists;
  };
  static void describe(Schema<Settings>& schema) {
    schema.blocks("list", &Settings::lists, "a mailing list").required().per_domain();
  }
  static std::string fault(const Settings& settings) {
    for (const MailingList& list : settings.lists)
      for (const std::string& address : {list.address, list.reply_to})
        if (!address.empty() && !smtp::parse_mailbox(address))
          return fmt::format("'{}' is no address", address);
    return {};
  }
  void setup(Hooks& hooks) override {
    hooks.on_rcpt(this, &MailingListSimple::decide);
    hooks.on_headers(this, &MailingListSimple::read);
    hooks.on_message(this, &MailingListSimple::sign);
  }

 private:
  const MailingList* list_of(const Recipient& to) const {
    const auto& lists = settings(to).lists;
    const auto found = std::find_if(lists.begin(), lists.end(), [&](const MailingList& each) {
      return iequals(each.address, to.key());
    });
    return found == lists.end() ? nullptr : &*found;
  }

  static Verdict not_a_member(std::string_view who, const MailingList& list) {
    return Verdict::reject({5, 7, 2}, fmt::format("{} may not post to {}", who, list.address));
  }

  // What a list adds is in nobody else's copy: it gets a message of its own.
  Verdict decide(Recipient& to) {
    const Transaction& tx = to.transaction();
    const MailingList* list = list_of(to);
    const auto changes = [&](const Recipient& each) {
      const MailingList* other = list_of(each);
      return other && (other->fields || !other->reply_to.empty());
    };
    const bool alone = tx.recipients().size() <= 1;
    if (!alone && (changes(to) || changes(*tx.recipients().front())))
      return Verdict::verbatim({452, {4, 5, 3}, "A mailing list gets a message of its own"});
    if (!list) return Verdict::next();
    if (tx.is_null_sender()) return Verdict::reject({5, 7, 2}, "Mailing lists take no bounces");
    if (list->posters == Posters::all || list->by == By::from) return Verdict::next();
    const smtp::Path& sender = tx.reverse_path();
    return list->members.contains(sender) ? Verdict::next() : not_a_member(sender.text, *list);
  }

  Verdict read(Message& message, Recipient& to) {
    const MailingList* list = list_of(to);
    if (!list) return Verdict::next();
    const mail::HeaderSection& header = message.header();
    for (std::size_t i = 0; i < header.size(); ++i)
      if (iequals(header[i].name, "X-Mailing-List") &&
          lower(header[i].value).find(lower(list->address)) != std::string::npos)
        return Verdict::verbatim({554, {5, 4, 6}, "This list has already sent this message"});
    if (list->posters == Posters::all || list->by == By::sender) return Verdict::next();
    const auto from = mail::parse_addresses(header.value("From").value_or(""), max_authors);
    if (from.mailboxes.empty() || from.truncated) return not_a_member("Who tells no name", *list);
    for (const mail::Mailbox& author : from.mailboxes)
      if (!author.well_formed || !list->members.contains(author.local_part(), author.domain()))
        return not_a_member(printable(author.address, 256), *list);
    return Verdict::next();
  }

  void sign(Message& message) {
    const auto& recipients = message.transaction().recipients();
    const MailingList* list = recipients.empty() ? nullptr : list_of(*recipients.front());
    if (!list) return;
    plugin::Edits& edits = message.edits();
    const auto replace = [&](const char* name, std::string value) {
      edits.remove_field(name);
      if (const auto added = edits.append_field(name, std::move(value)); !added)
        log().warning("{}: {}: {}", instance_name(), name, added.error().describe());
    };
    if (!list->reply_to.empty()) replace("Reply-To", list->reply_to);
    if (!list->fields) return;
    std::string id = list->address;  // RFC 2919 section 3
    std::replace(id.begin(), id.end(), '@', '.');
    replace("List-Id", fmt::format("<{}>", id));
    replace("List-Post", fmt::format("<mailto:{}>", list->address));  // RFC 2369 section 3.4
    replace("Precedence", "bulk");
    if (const auto added = edits.append_field("X-Mailing-List", list->address); !added)
      log().warning("{}: X-Mailing-List: {}", instance_name(), added.error().describe());
  }

  static constexpr std::size_t max_authors = 20;
};

}  // namespace

POSTERN_PLUGIN(MailingListSimple, "mailinglist_simple")

}  // namespace postern::plugins
