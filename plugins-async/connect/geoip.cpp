// geoip: where a client is, from databases in MaxMind's format: files, and nothing of the network.
#include <postern/facts/place.hpp>
#include <postern/plugin.hpp>

#include <arpa/inet.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

namespace postern::plugins {
namespace {

constexpr std::size_t most_text_octets = 200;

using facts::Place;

// One file, mapped into memory and looked up without copying.
class Database {
 public:
  explicit Database(std::string path) : path_(std::move(path)) {}
  ~Database() { close(); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& path() const { return path_; }

  // Opens it, or opens it anew when there is another file of that name: databases are replaced by
  // renaming. What is wrong, if that is new; empty: nothing.
  std::string refresh() {
    struct stat status {};
    if (stat(path_.c_str(), &status) != 0) status = {};
    if (seen_ && status.st_ino == inode_ && status.st_mtime == changed_) return {};
    seen_ = true;
    inode_ = status.st_ino;
    changed_ = status.st_mtime;
    MMDB_s fresh{};
    const int outcome = MMDB_open(path_.c_str(), MMDB_MODE_MMAP, &fresh);
    if (outcome != MMDB_SUCCESS) return MMDB_strerror(outcome);
    close();
    base_ = fresh;
    open_ = true;
    return {};
  }

  void look(const IpAddress& address, Place& place) const {
    if (!open_) return;
    sockaddr_storage storage{};
    if (address.is_v4()) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
      v4.sin_family = AF_INET;
      std::memcpy(&v4.sin_addr, address.octets().data() + 12, 4);
    } else {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
      v6.sin6_family = AF_INET6;
      std::memcpy(&v6.sin6_addr, address.octets().data(), 16);
    }
    int error = MMDB_SUCCESS;
    auto found = MMDB_lookup_sockaddr(&base_, reinterpret_cast<sockaddr*>(&storage), &error);
    if (error != MMDB_SUCCESS || !found.found_entry) return;
    text(found, {"country", "iso_code"}, place.country);
    text(found, {"continent", "code"}, place.continent);
    text(found, {"city", "names", "en"}, place.city);
    text(found, {"autonomous_system_organization"}, place.network);
    if (const auto asn = value(found, {"autonomous_system_number"}, MMDB_DATA_TYPE_UINT32))
      place.asn = asn->uint32;
    const auto latitude = value(found, {"location", "latitude"}, MMDB_DATA_TYPE_DOUBLE);
    const auto longitude = value(found, {"location", "longitude"}, MMDB_DATA_TYPE_DOUBLE);
    if (!latitude || !longitude) return;
    place.latitude = latitude->double_value;
    place.longitude = longitude->double_value;
  }

 private:
  using Keys = std::initializer_list<const char*>;

  static std::optional<MMDB_entry_data_s> value(MMDB_lookup_result_s& found, Keys keys,
                                                std::uint32_t type) {
    std::array<const char*, 4> path{};  // ends in a null
    std::copy(keys.begin(), keys.end(), path.begin());
    MMDB_entry_data_s data{};
    if (MMDB_aget_value(&found.entry, &data, path.data()) != MMDB_SUCCESS) return {};
    if (!data.has_data || data.type != type) return {};
    return data;
  }
  // Several databases complete each other: the first that knows counts.
  static void text(MMDB_lookup_result_s& found, Keys keys, std::string& out) {
    const auto data = value(found, keys, MMDB_DATA_TYPE_UTF8_STRING);
    if (data && out.empty())
      out.assign(data->utf8_string, std::min<std::size_t>(data->data_size, most_text_octets));
  }
  void close() {
    if (open_) MMDB_close(&base_);
    open_ = false;
  }

  std::string path_;
  MMDB_s base_{};
  bool open_ = false;
  bool seen_ = false;
  ino_t inode_ = 0;
  time_t changed_ = 0;
};

// Along the surface of a sphere (haversine), in kilometres.
std::optional<std::uint32_t> distance(const Place& a, const Place& b) {
  if (!a.latitude || !b.latitude) return {};
  constexpr double radius = 6371;
  const auto radians = [](double degrees) { return degrees * 3.14159265358979323846 / 180; };
  const double up = std::sin(radians(*b.latitude - *a.latitude) / 2);
  const double along = std::sin(radians(*b.longitude - *a.longitude) / 2);
  const double h =
      up * up + std::cos(radians(*a.latitude)) * std::cos(radians(*b.latitude)) * along * along;
  return static_cast<std::uint32_t>(2 * radius * std::asin(std::sqrt(std::clamp(h, 0.0, 1.0))));
}

class GeoIp final : public PluginOf<GeoIp> {
 public:
  static constexpr const char* summary =
      "Finds a client's country, city and network, and refuses some.";
  struct Settings {
    std::vector<FilePath> databases;
    std::vector<std::string> countries;
    std::vector<std::uint32_t> asns;
    std::string home;
    std::uint32_t too_far = 0;
    bool add_headers = true;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("databases", &Settings::databases,
             "files in MaxMind's format (.mmdb), such as GeoLite2-City and GeoLite2-ASN; replace "
             "them by renaming")
        .required();
    schema.key("countries", &Settings::countries, "countries whose clients are refused: \"XX\"")
        .per_domain();
    schema.key("asns", &Settings::asns, "autonomous systems whose clients are refused: 64496")
        .per_domain();
    schema.key("home", &Settings::home,
               "an address of ours; where it is, distances are counted from");
    schema.key("too_far", &Settings::too_far, "kilometres beyond which clients are refused; 0: any")
        .per_domain();
    schema.key("add_headers", &Settings::add_headers,
               "add X-GeoIP-Country, -Continent, -City and -ASN to messages");
    schema.defaults().enforce_at = policy::Stage::rcpt;
    schema.defaults().exempt.relay = true;
  }
  static std::string fault(const Settings& settings) {
    if (!settings.home.empty() && !IpAddress::parse(settings.home)) return "home is no address";
    return settings.too_far > 0 && settings.home.empty() ? "too_far needs home" : "";
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &GeoIp::look).judge(&GeoIp::judge);
    hooks.on_message(this, &GeoIp::add_fields);
    hooks.on_tick(this, &GeoIp::refresh);
  }

 private:
  Place look(Session& session) {
    const Settings& here = settings(session);
    if (databases_.empty()) open(here);
    Place place = place_of(session.client_address());
    if (const auto home = IpAddress::parse(here.home)) place.km = distance(place, place_of(*home));
    return place;
  }

  Place place_of(const IpAddress& address) const {
    Place place;
    for (const auto& database : databases_) database->look(address, place);
    return place;
  }

  void open(const Settings& settings) {
    for (const FilePath& file : settings.databases)
      databases_.push_back(std::make_unique<Database>(file.text));
    refresh({});
  }
  void refresh(Tick) {
    for (const auto& database : databases_)
      if (const std::string fault = database->refresh(); !fault.empty())
        log().error("{}: {}: {}", instance_name(), database->path(), fault);
  }

  Verdict judge(const Place& place, const Settings& settings) const {
    const auto same = [&](const std::string& country) { return iequals(country, place.country); };
    if (std::any_of(settings.countries.begin(), settings.countries.end(), same))
      return refuse(fmt::format("Mail from {} is not accepted here", place.country));
    if (std::find(settings.asns.begin(), settings.asns.end(), place.asn) != settings.asns.end())
      return refuse(fmt::format("Mail from AS{} is not accepted here", place.asn));
    if (settings.too_far > 0 && place.km.value_or(0) > settings.too_far)
      return refuse("Mail from so far away is not accepted here");
    return Verdict::next();
  }
  static Verdict refuse(std::string text) { return Verdict::reject({5, 7, 1}, std::move(text)); }

  // A client cannot bring such fields of its own.
  void add_fields(Message& message) {
    if (!settings(message).add_headers) return;
    const Place* place = message.facts().find<Place>();
    const auto set = [&](const char* name, const std::string& value) {
      message.edits().remove_field(name);
      if (!value.empty()) (void)message.edits().add_field(name, value);
    };
    set("X-GeoIP-ASN", place && place->asn != 0 ? std::to_string(place->asn) : "");
    set("X-GeoIP-City", place && ascii(place->city) ? place->city : "");
    set("X-GeoIP-Continent", place ? place->continent : "");
    set("X-GeoIP-Country", place ? place->country : "");
  }
  static bool ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  }

  std::vector<std::unique_ptr<Database>> databases_;
};

}  // namespace

POSTERN_PLUGIN(GeoIp, "geoip")

}  // namespace postern::plugins
