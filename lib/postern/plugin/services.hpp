// What plugins offer to one another, and hook points of their own.
//
//   struct Scanner : Service<"scanner", 1> { virtual Task<Result<Scan>> scan(Message&) = 0; };
//   hooks.provide<Scanner>("clamd", *this);      // in setup()
//   for (Scanner* scanner : services().all<Scanner>()) …
#pragma once

#include <postern/plugin/fact.hpp>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace postern::plugin {

struct Attachment;

template <FactName Name, unsigned Version>
struct Service {
  static constexpr auto service_name = Name;
  static constexpr unsigned service_version = Version;
};

class Services {
 public:
  template <typename T>
  void provide(std::string name, T& service) {
    offers_.push_back({id<T>(), std::move(name), &service});
  }
  // The one of that name; null: nobody provides it.
  template <typename T>
  T* find(std::string_view name) const {
    for (const Offer& offer : offers_)
      if (offer.id == id<T>() && offer.name == name) return static_cast<T*>(offer.service);
    return nullptr;
  }
  // All of the kind, in configuration order.
  template <typename T>
  std::vector<T*> all() const {
    std::vector<T*> found;
    for (const Offer& offer : offers_)
      if (offer.id == id<T>()) found.push_back(static_cast<T*>(offer.service));
    return found;
  }

  // Hook points of plugins: who has one, and who is attached (hook_point.hpp).
  void own(std::string point) { points_.push_back(std::move(point)); }
  const std::vector<std::string>& points() const { return points_; }
  void attach(Attachment attachment);
  const std::deque<Attachment>& attachments() const { return attachments_; }

  Services();
  ~Services();
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

 private:
  struct Offer {
    std::uint64_t id;
    std::string name;
    void* service;
  };
  template <typename T>
  static constexpr std::uint64_t id() {
    return detail::hash(T::service_name.view(), T::service_version);
  }
  std::vector<Offer> offers_;
  std::vector<std::string> points_;
  std::deque<Attachment> attachments_;
};

}  // namespace postern::plugin
