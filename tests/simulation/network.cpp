#include "network.hpp"

#include <cerrno>
#include <cstring>
#include <vector>

namespace shaddock::simulation {

namespace {

/// As much as Linux keeps for a Unix socket by default.
constexpr std::size_t capacity = std::size_t{208} * 1024;

} // namespace

/// The kernel's half of one end of a connection.
class socket_end final : public std::enable_shared_from_this<socket_end> {
public:
    socket_end(network& in, std::shared_ptr<process> owner) : net_(in), owner_(std::move(owner)) {}

    static std::pair<std::shared_ptr<socket_end>, std::shared_ptr<socket_end>>
    connect(network& in, std::shared_ptr<process> one, std::shared_ptr<process> other) {
        auto near = std::make_shared<socket_end>(in, std::move(one));
        auto far = std::make_shared<socket_end>(in, std::move(other));
        near->far_ = far;
        far->far_ = near;
        for (const auto& end : {near, far}) {
            in.ends_.emplace(end->owner_->id(), end);
        }
        return {near, far};
    }

    ssize_t send(std::string_view bytes) {
        const auto far = far_.lock();
        if (is_closed_ || is_ended_ || !far || far->is_closed_) {
            errno = EPIPE;
            return -1;
        }
        const auto size = std::min(bytes.size(), capacity - under_way_);
        if (size == 0) {
            errno = EAGAIN;
            return -1;
        }
        under_way_ += size;
        arrive_later(far, std::string(bytes.substr(0, size)));
        return static_cast<ssize_t>(size);
    }

    ssize_t recv(char* into, std::size_t size) {
        const auto got = std::min(size, arrived_.size() - read_);
        if (got == 0) {
            errno = is_closed_ ? EBADF : EAGAIN;
            return is_ended_ && !is_closed_ ? 0 : -1;
        }
        std::memcpy(into, arrived_.data() + read_, got);
        read_ += got;
        if (read_ == arrived_.size()) {
            arrived_.clear();
            read_ = 0;
        }
        if (const auto far = far_.lock()) {
            far->under_way_ -= got;
            far->end_wait(far->writer_, &bus::pipe_user::on_writable);
        }
        return static_cast<ssize_t>(got);
    }

    void close() {
        if (std::exchange(is_closed_, true)) {
            return;
        }
        if (const auto far = far_.lock()) {
            end_later(far);
            far->end_wait(far->writer_, &bus::pipe_user::on_writable);
        }
        end_wait(reader_, &bus::pipe_user::on_readable);
        end_wait(writer_, &bus::pipe_user::on_writable);
    }

    bool has_unread() const { return is_ended_ || read_ < arrived_.size(); }
    bool is_hung_up() const { return is_ended_; }

    /// The connection breaks here and now; bytes under way to here are lost.
    void break_off() {
        is_ended_ = true;
        end_wait(reader_, &bus::pipe_user::on_readable);
        end_wait(writer_, &bus::pipe_user::on_writable);
    }
    bool is_between(const std::string& one, const std::string& other) const {
        const auto far = far_.lock();
        return far && network::pair(owner_->id(), far->owner_->id()) == network::pair(one, other);
    }

    void wait_readable(std::shared_ptr<bus::pipe_user> user, base::gate::pass held) {
        reader_.emplace(std::move(user), std::move(held));
        if (is_closed_ || is_ended_ || read_ < arrived_.size()) {
            end_wait(reader_, &bus::pipe_user::on_readable);
        }
    }
    void wait_writable(std::shared_ptr<bus::pipe_user> user, base::gate::pass held) {
        writer_.emplace(std::move(user), std::move(held));
        const auto far = far_.lock();
        if (is_closed_ || is_ended_ || !far || far->is_closed_ || under_way_ < capacity) {
            end_wait(writer_, &bus::pipe_user::on_writable);
        }
    }

private:
    using waiter = std::optional<std::pair<std::shared_ptr<bus::pipe_user>, base::gate::pass>>;

    void end_wait(waiter& who, void (bus::pipe_user::*call)()) {
        if (!who) {
            return;
        }
        net_.world_.wake(net_.world_.now(), owner_,
                         [user = std::move(who->first), held = std::move(who->second),
                          call]() mutable { ((*user).*call)(); });
        who.reset();
    }
    /// Never before what was sent earlier.
    time_point next_arrival(const socket_end& far) {
        last_arrival_ = std::max(last_arrival_,
                                 net_.world_.now() + net_.latency(owner_->id(), far.owner_->id()));
        return last_arrival_;
    }
    void arrive_later(const std::shared_ptr<socket_end>& far, std::string bytes) {
        net_.world_.at(next_arrival(*far), [far, bytes = std::move(bytes)] {
            if (!far->is_ended_ && !far->is_closed_) {
                far->arrived_ += bytes;
                far->end_wait(far->reader_, &bus::pipe_user::on_readable);
            }
        });
    }
    void end_later(const std::shared_ptr<socket_end>& far) {
        net_.world_.at(next_arrival(*far), [far] {
            far->is_ended_ = true;
            far->end_wait(far->reader_, &bus::pipe_user::on_readable);
        });
    }

    network& net_;
    std::shared_ptr<process> owner_;
    std::weak_ptr<socket_end> far_;
    std::string arrived_;
    std::size_t read_ = 0;
    /// Sent, and not read at the other end.
    std::size_t under_way_ = 0;
    time_point last_arrival_{};
    /// Nothing more comes.
    bool is_ended_ = false;
    bool is_closed_ = false;
    waiter reader_;
    waiter writer_;
};

namespace {

class simulated_pipe final : public bus::pipe {
public:
    explicit simulated_pipe(std::shared_ptr<socket_end> end) : end_(std::move(end)) {}
    ~simulated_pipe() override { end_->close(); }
    ssize_t send(std::string_view bytes) override { return end_->send(bytes); }
    ssize_t recv(char* into, std::size_t size) override { return end_->recv(into, size); }
    void close() override { end_->close(); }
    bool has_unread() const override { return end_->has_unread(); }
    bool is_hung_up() const override { return end_->is_hung_up(); }
    void wait_readable(std::shared_ptr<bus::pipe_user> user, base::gate::pass held) override {
        end_->wait_readable(std::move(user), std::move(held));
    }
    void wait_writable(std::shared_ptr<bus::pipe_user> user, base::gate::pass held) override {
        end_->wait_writable(std::move(user), std::move(held));
    }

private:
    std::shared_ptr<socket_end> end_;
};

} // namespace

class simulated_transport final : public bus::transport {
public:
    simulated_transport(network& in, std::shared_ptr<process> of) : net_(in), of_(std::move(of)) {}
    ~simulated_transport() override {
        if (const auto at = net_.living_.find(of_->id());
            at != net_.living_.end() && at->second == this) {
            net_.living_.erase(at);
        }
    }

    result<void> open() override {
        if (!net_.living_.emplace(of_->id(), this).second) {
            return error(errc::duplicate, of_->id() + " runs already");
        }
        is_open_ = true;
        return {};
    }
    bool is_open() const override { return is_open_; }
    void accept(base::unique_function<void(bus::arrival)> done) override {
        acceptor_ = std::move(done);
        arrive();
    }
    void close() override {
        is_open_ = false;
        callers_.clear();
        if (acceptor_) {
            net_.world_.wake(net_.world_.now(), of_, [done = std::move(acceptor_)]() mutable {
                done({bus::arrival::trouble::failed, nullptr, "closed"});
            });
            acceptor_ = nullptr;
        }
    }

    boost::system::result<std::unique_ptr<bus::pipe>, bus::dial_failure>
    dial(std::string_view id) override {
        const std::string name(id);
        if (of_->is_dead || net_.cut_.contains(network::pair(of_->id(), name))) {
            return bus::dial_failure::try_again;
        }
        const auto there = net_.living_.find(name);
        if (there == net_.living_.end() || !there->second->is_open_) {
            return bus::dial_failure::nobody;
        }
        auto& called = *there->second;
        auto [near, far] = socket_end::connect(net_, of_, called.of_);
        called.callers_.push_back(std::move(far));
        called.arrive();
        return std::unique_ptr<bus::pipe>(std::make_unique<simulated_pipe>(std::move(near)));
    }
    bool is_running(std::string_view id) const override {
        return net_.living_.contains(std::string(id));
    }

private:
    void arrive() {
        if (!acceptor_ || callers_.empty()) {
            return;
        }
        net_.world_.wake(
            net_.world_.now(), of_,
            [done = std::move(acceptor_), from = std::move(callers_.front())]() mutable {
                done({bus::arrival::trouble::none,
                      std::make_unique<simulated_pipe>(std::move(from)),
                      {}});
            });
        acceptor_ = nullptr;
        callers_.pop_front();
    }

    network& net_;
    std::shared_ptr<process> of_;
    bool is_open_ = false;
    base::unique_function<void(bus::arrival)> acceptor_;
    std::deque<std::shared_ptr<socket_end>> callers_;
};

std::unique_ptr<bus::transport> network::make_transport(std::shared_ptr<process> of) {
    return std::make_unique<simulated_transport>(*this, std::move(of));
}

void network::killed(const std::string& id) {
    living_.erase(id);
    const auto [first, last] = ends_.equal_range(id);
    std::vector<std::shared_ptr<socket_end>> closing;
    for (auto at = first; at != last; ++at) {
        if (auto end = at->second.lock()) {
            closing.push_back(std::move(end));
        }
    }
    ends_.erase(first, last);
    for (const auto& each : closing) {
        each->close();
    }
}

void network::cut(const std::string& one, const std::string& other) {
    cut_[pair(one, other)] = true;
    for (const auto& id : {one, other}) {
        const auto [first, last] = ends_.equal_range(id);
        for (auto at = first; at != last;) {
            const auto end = at->second.lock();
            if (end && end->is_between(one, other)) {
                end->break_off();
            }
            at = end ? std::next(at) : ends_.erase(at);
        }
    }
}

duration network::latency(const std::string& one, const std::string& other) {
    auto most = duration(200us);
    if (!delays_.empty()) {
        if (const auto found = delays_.find(pair(one, other)); found != delays_.end()) {
            most += found->second;
        }
    }
    return world_.chance.between(20us, most);
}

} // namespace shaddock::simulation
