// The one translation unit that compiles Asio's non-template code for the host.
#include <boost/asio/impl/src.hpp>
