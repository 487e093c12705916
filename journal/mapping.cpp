#include "journal/mapping.hpp"

#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>

namespace holdfast {
namespace {

namespace ipc = boost::interprocess;

class mapped_file final : public buffer {
 public:
  explicit mapped_file(const std::string& path)
      : buffer(kind::map),
        region_(ipc::file_mapping(path.c_str(), ipc::read_only), ipc::read_only) {
    bytes_ = {static_cast<const std::byte*>(region_.get_address()), region_.get_size()};
  }

 private:
  ipc::mapped_region region_;
};

}  // namespace

result<buffer_ref> map_file(const std::string& path) {
  try {
    return buffer_ref(new mapped_file(path));
  } catch (const std::exception& why) {
    return {errc::io, path + ": cannot be mapped: " + why.what()};
  }
}

}  // namespace holdfast
