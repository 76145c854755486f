// SPDX-License-Identifier: Apache-2.0
// The core's own session against the hub's, in one process: what a browser does, frame by frame.
#include <deque>

#include "core/replica/session.h"
#include "core/wire/cbor.h"
#include "tests/worker/api/api_world.h"
#include "worker/engine/tuning.h"

namespace kalends::test {
namespace {

// A client with one document, and the connection it may have.
class Client {
 public:
  Client(ApiWorld& world, MemberId member, std::string token, DocumentId document)
      : world_(world),
        member_(member),
        token_(std::move(token)),
        replica({document, DocumentKind::kBoard, ReplicaId{world.entropy.new_id()}}),
        session(replica, {}) {}

  void connect() {
    disconnect();
    auto authenticate_token = [this](std::string_view token) -> Result<SignedIn> {
      KALENDS_TRY(Caller caller, authenticate(*world_.store, token));
      return SignedIn{caller.workspace, caller.member, caller.may_write()};
    };
    socket = std::make_unique<LiveSession>(world_.hub, authenticate_token,
                                           [this](Bytes frame) { inbox.push_back(std::move(frame)); });
    REQUIRE(socket->receive(encode_cbor(Cbor::map({{"t", "auth"}, {"token", token_}}))));
    say(session.start());
    settle();
  }
  void disconnect() {
    socket.reset();
    inbox.clear();
  }
  void say(const Bytes& message) {
    if (socket)
      socket->receive(
          encode_cbor(Cbor::map({{"d", to_hex(replica.options().document)}, {"m", Cbor::bytes(message)}})));
  }
  // Reads frames until there are none.
  void settle() {
    while (!inbox.empty()) {
      auto outer = decode_cbor(inbox.front());
      inbox.pop_front();
      REQUIRE(outer.ok());
      if (!(*outer)["m"].is_bytes()) {
        frames.push_back(*outer);
        continue;
      }
      auto inner = decode_cbor((*outer)["m"].as_byte_view());
      frames.push_back(*inner);
      auto received = session.receive((*outer)["m"].as_byte_view(), world_.clock.now_);
      REQUIRE(received.ok());
      refused.insert(refused.end(), received->refused.begin(), received->refused.end());
      tray.insert(tray.end(), received->tray.begin(), received->tray.end());
      if (!received->reload.empty()) reload = received->reload;
      for (const Bytes& message : received->send) say(message);
    }
  }
  EditResult edit(const std::vector<Command>& commands) {
    auto edited = replica.edit({member_, Cause::kPerson, now_ms.value_or(world_.clock.now_)}, commands);
    INFO((edited.ok() ? std::string() : edited.error().message));
    REQUIRE(edited.ok());
    if (socket)
      for (const Bytes& message : session.pushes()) say(message);
    return *edited;
  }
  Command title(const Id128& card, const std::string& text) {
    return SetCommand{{card, {}}, {Field::kTitle, {}, text}};
  }
  std::string title_of(const Id128& card) const {
    Entity entity = replica.document().find(card);
    return entity ? entity->text_value(Field::kTitle) : "none";
  }
  size_t count(const char* type) const {
    return static_cast<size_t>(std::count_if(
        frames.begin(), frames.end(), [&](const Cbor& frame) { return frame["t"].as_text() == type; }));
  }
  const Cbor& last(const char* type) const {
    for (auto it = frames.rbegin(); it != frames.rend(); ++it)
      if ((*it)["t"].as_text() == type) return *it;
    FAIL("no frame of type " << type);
    return frames.front();
  }

  ApiWorld& world_;
  MemberId member_;
  std::string token_;
  Replica replica;
  Session session;
  std::unique_ptr<LiveSession> socket;
  std::deque<Bytes> inbox;
  std::vector<Cbor> frames;
  std::vector<Session::Refused> refused;
  std::vector<TrayEntry> tray;
  std::string reload;
  std::optional<int64_t> now_ms;  // of a wrong clock
};

struct LiveWorld : ApiWorld {
  LiveWorld() {
    Answer other = call("POST", "/v1/tokens", {{"member", "Member B"}});
    ben_member = MemberId{*id_from_hex(other.json["member"].get<std::string>())};
    ben_token = other.json["token"];
  }
  Client client(bool is_ben = false) {
    return Client(*this, is_ben ? ben_member : owner, is_ben ? ben_token : owner_token, document);
  }
  OpenDocument& at_hub() { return **hub.open({workspace, document}); }
  void settle(Client& a, Client& b) {
    for (int round = 0; round < 4; ++round) a.settle(), b.settle();
  }

  std::string board = make_board();
  std::string list = make_list(board, "To do");
  Id128 card = *id_from_hex(make_card(board, list, "card"));
  DocumentId document{*id_from_hex(board)};
  MemberId ben_member;
  std::string ben_token;
};

}  // namespace

TEST_CASE("two people edit at once and see the same") {
  LiveWorld world;
  Client anna = world.client(), ben = world.client(true);
  anna.connect();
  ben.connect();
  CHECK(anna.session.is_synced());
  anna.edit({anna.title(world.card, "by anna")});
  world.settle(anna, ben);
  CHECK(ben.title_of(world.card) == "by anna");
  CHECK(anna.session.is_synced());
  world.call("PATCH", "/v1/boards/" + world.board + "/cards/" + to_hex(world.card),
             {{"title", "by the API"}});
  world.settle(anna, ben);
  CHECK(anna.title_of(world.card) == "by the API");
  CHECK(anna.replica.hash() == ben.replica.hash());
  CHECK(anna.replica.hash() == world.at_hub().replica.hash());
}

TEST_CASE("edits made offline merge, and the loser of a double edit stays open everywhere") {
  LiveWorld world;
  Client anna = world.client(), ben = world.client(true);
  anna.connect();
  ben.connect();
  anna.disconnect();
  anna.edit({anna.title(world.card, "by anna"), SetCommand{{world.card, {}}, {Field::kDone, {}, true}}});
  world.clock.now_ += 1000;
  ben.edit({ben.title(world.card, "by ben")});
  anna.connect();
  world.settle(anna, ben);
  for (Client* client : {&anna, &ben}) {
    CHECK(client->title_of(world.card) == "by ben");
    CHECK(client->replica.document().find(world.card)->bool_value(Field::kDone));
    CHECK(client->replica.document().find(world.card)->values(Field::kTitle).size() == 2);
    CHECK(client->session.is_synced());
  }
  CHECK(anna.replica.hash() == ben.replica.hash());
  CHECK(anna.replica.hash() == world.at_hub().replica.hash());
}

TEST_CASE("a client that comes back gets only what it lacks") {
  LiveWorld world;
  Client anna = world.client(), ben = world.client(true);
  anna.connect();
  ben.connect();
  anna.disconnect();
  ben.edit({ben.title(world.card, "1")});
  ben.edit({ben.title(world.card, "2")});
  anna.frames.clear();
  anna.connect();
  CHECK(anna.count("snapshot") == 0);
  REQUIRE(anna.count("ops") == 1);
  CHECK(decode_chunk(anna.last("ops")["ops"].as_byte_view())->size() == 2);
  CHECK(anna.title_of(world.card) == "2");
  anna.frames.clear();
  anna.connect();
  CHECK(anna.count("ops") == 0);
  CHECK(anna.session.is_synced());
}

TEST_CASE("a push whose answer was lost is pushed again and counts once") {
  LiveWorld world;
  Client anna = world.client();
  anna.connect();
  anna.edit({anna.title(world.card, "once")});
  anna.disconnect();  // the ack was never read
  uint64_t seq = world.at_hub().seq;
  anna.connect();
  CHECK(world.at_hub().seq == seq);
  CHECK(anna.session.is_synced());
}

TEST_CASE("a push with a gap is answered with what the hub has, and the client fills it") {
  LiveWorld world;
  Client anna = world.client();
  anna.connect();
  auto socket = std::move(anna.socket);
  anna.edit({anna.title(world.card, "1")});
  anna.edit({anna.title(world.card, "2")});
  anna.socket = std::move(socket);
  // Only the second one is sent.
  Cbor push = Cbor::map({{"t", "push"}, {"ops", Cbor::bytes(encode_chunk({anna.replica.log().back()}))}});
  anna.say(encode_cbor(push));
  anna.settle();
  CHECK(anna.count("welcome") == 2);
  CHECK(anna.session.is_synced());
  CHECK(world.at_hub().replica.hash() == anna.replica.hash());
}

TEST_CASE("an edit under a forged author is refused: a void stands in its place, its words are kept") {
  LiveWorld world;
  Client anna = world.client(), ben = world.client(true);
  anna.connect();
  ben.connect();
  ben.member_ = world.owner;
  ben.edit({ben.title(world.card, "forged"),
            SetCommand{{world.card, {}}, {Field::kLocation, {}, std::string("here")}}});
  world.settle(anna, ben);
  REQUIRE(ben.refused.size() == 2);
  CHECK(ben.refused[0].code == "forbidden");
  REQUIRE(ben.tray.size() == 2);
  CHECK(ben.tray[0].value == Value{std::string("forged")});
  CHECK(ben.title_of(world.card) == "card");
  CHECK(world.at_hub().replica.document().voids.size() == 2);
  CHECK(ben.replica.hash() == world.at_hub().replica.hash());
  CHECK(anna.replica.hash() == world.at_hub().replica.hash());
  // He goes on under his own name.
  ben.member_ = world.ben_member;
  ben.edit({ben.title(world.card, "by ben")});
  world.settle(anna, ben);
  CHECK(anna.title_of(world.card) == "by ben");
  CHECK(ben.session.is_synced());
}

TEST_CASE("a refusal whose telling was lost is learned at the next connection, at any frame where it broke") {
  for (size_t frames_read = 0; frames_read < 6; ++frames_read) {
    LiveWorld world;
    Client anna = world.client(), ben = world.client(true);
    anna.connect();
    ben.connect();
    ben.edit({ben.title(world.card, "by ben")});
    world.settle(anna, ben);
    ben.member_ = world.owner;
    ben.edit({ben.title(world.card, "forged")});
    anna.edit({SetCommand{{world.card, {}}, {Field::kLocation, {}, std::string("anna's")}}});
    while (ben.inbox.size() > frames_read) ben.inbox.pop_back();
    ben.settle();
    ben.member_ = world.ben_member;
    ben.session = Session(ben.replica, ben.session.cursor());
    ben.connect();
    world.settle(anna, ben);
    CAPTURE(frames_read);
    CHECK(ben.replica.hash() == world.at_hub().replica.hash());
    CHECK(anna.replica.hash() == world.at_hub().replica.hash());
    CHECK(ben.title_of(world.card) == "by ben");
    REQUIRE(ben.tray.size() == 1);
    CHECK(ben.tray[0].value == Value{std::string("forged")});
    CHECK(ben.refused.size() == 1);
  }
}

TEST_CASE("a viewer's edits are refused and go to the tray") {
  LiveWorld world;
  world.ben_token = world.token_of(world.ben_member, Role::kViewer);
  Client ben = world.client(true);
  ben.connect();
  ben.edit({ben.title(world.card, "no right")});
  ben.settle();
  REQUIRE(ben.refused.size() == 1);
  CHECK(ben.refused[0].code == "forbidden");
  CHECK(ben.tray.size() == 1);
  CHECK(ben.title_of(world.card) == "card");
  CHECK(ben.replica.hash() == world.at_hub().replica.hash());
}

TEST_CASE("what builds on a refused edit is refused too") {
  LiveWorld world;
  world.ben_token = world.token_of(world.ben_member, Role::kMember);
  Client ben = world.client(true);
  ben.connect();
  ben.member_ = world.owner;
  ben.edit({ben.title(world.card, "forged")});
  ben.member_ = world.ben_member;
  ben.edit({ben.title(world.card, "on top")});
  ben.settle();
  REQUIRE(ben.refused.size() == 2);
  CHECK(ben.refused[1].code == "cancelled");
  CHECK(ben.replica.hash() == world.at_hub().replica.hash());
}

TEST_CASE(
    "a client cannot say that the bridge, the API or the hub made its edit, nor make the hub's own kinds") {
  LiveWorld world;
  Client ben = world.client(true);
  ben.connect();
  ben.disconnect();
  auto made = ben.replica.edit({world.ben_member, Cause::kBridge, world.clock.now_},
                               {ben.title(world.card, "as the bridge")});
  REQUIRE(made.ok());
  Entity entity = ben.replica.document().find(world.card);
  OpId shown = entity->winner(Field::kTitle)->op;
  ben.edit({BoundCommand{{world.card, {}}, shown, Hlc::from(1, 0)}});
  ben.edit({RedactCommand{{world.card, {}}, shown}});
  ben.connect();
  ben.settle();
  CHECK(ben.refused.size() == 3);
  CHECK(world.at_hub().replica.document().find(world.card)->text_value(Field::kTitle) == "card");
  CHECK(ben.replica.hash() == world.at_hub().replica.hash());
}

TEST_CASE("a stamp from the far future is bound to now: nothing is lost, and nobody wins by it") {
  LiveWorld world;
  Client anna = world.client(), ben = world.client(true);
  anna.connect();
  ben.connect();
  ben.now_ms = world.clock.now_ + int64_t{365} * 86'400'000;
  ben.edit({ben.title(world.card, "from next year")});
  world.settle(anna, ben);
  CHECK(anna.title_of(world.card) == "from next year");
  CHECK(world.at_hub().replica.document().bounds.size() == 1);
  world.clock.now_ += 1000;
  anna.edit({anna.title(world.card, "by anna, now")});
  world.settle(anna, ben);
  CHECK(anna.title_of(world.card) == "by anna, now");
  CHECK(ben.title_of(world.card) == "by anna, now");
  CHECK(anna.replica.hash() == ben.replica.hash());
  CHECK(anna.replica.hash() == world.at_hub().replica.hash());
}

TEST_CASE("after a restore from a backup the epoch rises and clients bring back what had been acknowledged") {
  LiveWorld world;
  Client anna = world.client();
  anna.connect();
  anna.edit({anna.title(world.card, "kept by the client only")});
  anna.settle();
  REQUIRE(anna.session.is_synced());
  anna.disconnect();
  Replica all = std::move(*anna.replica.copy());
  // The backup is older: the board is made anew without the last edit, in the next epoch.
  std::vector<Op> backup = anna.replica.log();
  backup.pop_back();
  world.hub.close_all();
  DocumentKey key{world.workspace, world.document};
  {
    auto txn = world.store->begin();
    REQUIRE((*txn)->delete_document(world.workspace, world.document).ok());
    REQUIRE(world.hub.create_in(**txn, key, {DocumentKind::kBoard, backup, {}}).ok());
    REQUIRE((*txn)->raise_epochs(world.workspace).ok());
    REQUIRE((*txn)->commit().ok());
  }
  CHECK(world.at_hub().epoch == 2);
  CHECK(world.at_hub().replica.document().find(world.card)->text_value(Field::kTitle) == "card");
  anna.connect();
  CHECK(anna.session.cursor().epoch == 2);
  CHECK(anna.session.is_synced());
  CHECK(world.at_hub().replica.document().find(world.card)->text_value(Field::kTitle) ==
        "kept by the client only");
  CHECK(world.at_hub().replica.hash() == anna.replica.hash());
}

TEST_CASE("after a restore a client gives up what others had said and the hub has lost, and keeps its own") {
  LiveWorld world;
  Client anna = world.client(), ben = world.client(true);
  anna.connect();
  ben.connect();
  std::vector<Op> backup = anna.replica.log();
  ben.edit({ben.title(world.card, "of ben, who does not come back")});
  world.settle(anna, ben);
  anna.edit({SetCommand{{world.card, {}}, {Field::kLocation, {}, std::string("of anna")}}});
  world.settle(anna, ben);
  REQUIRE(anna.title_of(world.card) == "of ben, who does not come back");
  anna.disconnect();
  ben.disconnect();
  world.hub.close_all();
  DocumentKey key{world.workspace, world.document};
  {
    auto txn = world.store->begin();
    REQUIRE((*txn)->delete_document(world.workspace, world.document).ok());
    REQUIRE(world.hub.create_in(**txn, key, {DocumentKind::kBoard, backup, {}}).ok());
    REQUIRE((*txn)->raise_epochs(world.workspace).ok());
    REQUIRE((*txn)->commit().ok());
  }
  anna.connect();
  CHECK(anna.session.is_synced());
  CHECK(anna.title_of(world.card) == "card");
  CHECK(anna.replica.document().find(world.card)->text_value(Field::kLocation) == "of anna");
  CHECK(anna.replica.hash() == world.at_hub().replica.hash());

  // He comes after all, and brings his own.
  ben.connect();
  world.settle(anna, ben);
  CHECK(anna.title_of(world.card) == "of ben, who does not come back");
  CHECK(anna.replica.hash() == ben.replica.hash());
  CHECK(anna.replica.hash() == world.at_hub().replica.hash());
}

TEST_CASE("a client that was away for long gets the snapshot, with its own edits on top") {
  LiveWorld world;
  Client anna = world.client(), ben = world.client(true);
  DocumentKey key{world.workspace, world.document};
  std::vector<Command> commands;
  for (int i = 0; i < 1200; ++i)
    commands.push_back(CreateCommand{EntityType::kCard,
                                     world.entropy.new_id(),
                                     {{Field::kTitle, {}, "card " + std::to_string(i)}},
                                     *id_from_hex(world.list),
                                     {}});
  REQUIRE(world.hub.edit(key, {world.owner, Cause::kApi, world.clock.now_}, commands).ok());
  anna.connect();
  CHECK(anna.count("snapshot") == 1);
  CHECK(anna.replica.hash() == world.at_hub().replica.hash());
  anna.disconnect();
  anna.edit({anna.title(world.card, "offline")});
  for (int round = 0; round < 6; ++round) {
    commands.clear();
    for (int i = 0; i < 900; ++i)
      commands.push_back(CreateCommand{EntityType::kCard,
                                       world.entropy.new_id(),
                                       {{Field::kTitle, {}, "more " + std::to_string(i)}},
                                       *id_from_hex(world.list),
                                       {}});
    REQUIRE(world.hub.edit(key, {world.owner, Cause::kApi, world.clock.now_}, commands).ok());
  }
  anna.connect();
  CHECK(anna.count("snapshot") == 2);
  CHECK(anna.title_of(world.card) == "offline");
  CHECK(anna.session.is_synced());
  CHECK(anna.replica.hash() == world.at_hub().replica.hash());
  ben.connect();
  CHECK(ben.title_of(world.card) == "offline");
}

TEST_CASE("a board whose history begins with a snapshot is sent with it") {
  LiveWorld world;
  for (bool has_later_ops : {true, false}) {
    Replica source(
        {DocumentId{world.entropy.new_id()}, DocumentKind::kBoard, ReplicaId{world.entropy.new_id()}});
    EditContext context{world.owner, Cause::kPerson, world.clock.now_};
    Id128 list = world.entropy.new_id(), card = world.entropy.new_id();
    REQUIRE(
        source
            .edit(
                context,
                {CreateCommand{EntityType::kList, list, {{Field::kTitle, {}, std::string("list")}}, {}, {}},
                 CreateCommand{EntityType::kCard, card, {{Field::kTitle, {}, std::string("old")}}, list, {}}})
            .ok());
    source.compact();
    if (has_later_ops)
      REQUIRE(source.edit(context, {SetCommand{{card, {}}, {Field::kTitle, {}, std::string("new")}}}).ok());
    DocumentId document = source.options().document;
    {
      auto txn = world.store->begin();
      REQUIRE(world.hub
                  .create_in(**txn, {world.workspace, document},
                             {DocumentKind::kBoard, source.log(), source.snapshot()})
                  .ok());
      REQUIRE((*txn)->commit().ok());
    }
    Client anna(world, world.owner, world.owner_token, document);
    anna.connect();
    CHECK(anna.title_of(card) == (has_later_ops ? "new" : "old"));
    CHECK(anna.replica.hash() == source.hash());
    anna.edit({anna.title(card, "on top")});
    anna.settle();
    CHECK(anna.session.is_synced());
  }
}

TEST_CASE("a copy that the hub forgot meanwhile is opened again and told to everybody who listens") {
  LiveWorld world;
  Client anna = world.client(), ben = world.client(true);
  anna.connect();
  ben.connect();
  world.hub.close_all();
  anna.edit({anna.title(world.card, "after the hub forgot")});
  world.settle(anna, ben);
  CHECK(ben.title_of(world.card) == "after the hub forgot");
  CHECK(ben.session.is_synced());
}

TEST_CASE("nobody edits under the replica id of another member or of the hub") {
  LiveWorld world;
  Client anna = world.client();
  anna.connect();
  anna.edit({anna.title(world.card, "by anna")});
  anna.settle();
  ReplicaId hub = world.at_hub().replica.options().replica;
  for (ReplicaId taken : {anna.replica.options().replica, hub}) {
    Client ben = world.client(true);
    auto history = world.hub.ops_after({world.workspace, world.document}, 0, 1000);
    ben.replica = *Replica::open({world.document, DocumentKind::kBoard, taken}, {}, *history);
    ben.session = Session(ben.replica, {});
    ben.edit({ben.title(world.card, "under another's name")});
    ben.connect();
    CHECK(ben.last("error")["code"].as_text() == "forbidden");
    CHECK_FALSE(ben.session.is_synced());
    // Nor by a push to the hub itself, whoever remembers nothing of the hello.
    auto pushed = world.hub.push({world.workspace, world.document}, {world.ben_member, true, taken},
                                 {ben.replica.log().back()});
    REQUIRE_FALSE(pushed.ok());
    CHECK(pushed.error().code == ErrorCode::kForbidden);
    world.hub.close_all();
    CHECK_FALSE(world.hub
                    .push({world.workspace, world.document}, {world.ben_member, true, taken},
                          {ben.replica.log().back()})
                    .ok());
  }
  CHECK(world.at_hub().replica.document().find(world.card)->text_value(Field::kTitle) == "by anna");
  // Its owner goes on.
  anna.connect();
  anna.edit({anna.title(world.card, "by anna again")});
  anna.settle();
  CHECK(anna.session.is_synced());
}

TEST_CASE("nobody edits two documents under one replica id") {
  LiveWorld world;
  Client anna = world.client();
  anna.connect();
  anna.edit({anna.title(world.card, "by anna")});
  anna.settle();
  ReplicaId taken = anna.replica.options().replica;
  std::string other = world.make_board("Second");
  DocumentKey key{world.workspace, DocumentId{*id_from_hex(other)}};
  Replica again({key.document, DocumentKind::kBoard, taken});
  auto refused = [&](MemberId member) {
    auto made = again.edit({member, Cause::kPerson, world.clock.now_},
                           {SetCommand{{key.document.raw, {}}, {Field::kTitle, {}, std::string("x")}}});
    auto pushed = world.hub.push(key, {member, true, taken}, made->ops);
    return !pushed.ok() && pushed.error().code == ErrorCode::kForbidden;
  };
  // Neither somebody else, who would take the place of what a moved card brings along, nor its owner.
  CHECK(refused(world.ben_member));
  CHECK(refused(world.owner));
  // Nor where it came with a card, also when the board that it came from is gone.
  std::string list = world.make_list(other, "Inbox");
  REQUIRE(world
              .call("POST", "/v1/boards/" + world.board + "/cards/" + to_hex(world.card) + "/transfer",
                    {{"board", other}, {"list", list}})
              .status == 200);
  world.hub.close_all();
  {
    auto txn = world.store->begin();
    REQUIRE(txn.ok());
    REQUIRE((*txn)->delete_document(world.workspace, world.document).ok());
    REQUIRE((*txn)->commit().ok());
  }
  CHECK(refused(world.ben_member));
}

TEST_CASE("a card that moves brings along what a copy said of it, whatever that copy's owner said there") {
  LiveWorld world;
  std::string other = world.make_board("Second");
  std::string list = world.make_list(other, "Inbox");
  Client here = world.client();
  Client there(world, world.owner, world.owner_token, DocumentId{*id_from_hex(other)});
  here.connect();
  there.connect();
  for (int i = 0; i < 5; ++i) {
    here.edit({here.title(world.card, "here " + std::to_string(i))});
    there.edit({there.title(*id_from_hex(list), "there " + std::to_string(i))});
    world.settle(here, there);
  }
  REQUIRE(world
              .call("POST", "/v1/boards/" + world.board + "/cards/" + to_hex(world.card) + "/transfer",
                    {{"board", other}, {"list", list}})
              .status == 200);
  world.settle(here, there);
  CHECK(there.title_of(world.card) == "here 4");
  CHECK(there.session.is_synced());
}

TEST_CASE("a document of another workspace, or none, is answered with not found") {
  LiveWorld world;
  WorkspaceId other{world.entropy.new_id()};
  MemberId stranger = world.add_workspace(other);
  Client spy(world, stranger, *create_token(world.ports, other, {stranger, Role::kOwner, "test"}),
             world.document);
  spy.connect();
  CHECK(spy.last("error")["code"].as_text() == "not_found");
  CHECK(spy.count("snapshot") + spy.count("ops") + spy.count("welcome") == 0);
}

TEST_CASE("frames that mean nothing are answered and never end the process") {
  LiveWorld world;
  Client anna = world.client();
  anna.connect();
  anna.edit({anna.title(world.card, "x")});
  anna.settle();
  auto send = [&](const Cbor& message) {
    anna.frames.clear();
    anna.say(encode_cbor(message));
    while (!anna.inbox.empty()) {
      anna.frames.push_back(*decode_cbor(anna.inbox.front()));
      anna.inbox.pop_front();
    }
  };
  send(Cbor::map({{"t", "nonsense"}}));
  CHECK(anna.last("error")["code"].as_text() == "invalid");
  send(Cbor::map({{"t", "push"}, {"ops", "text"}}));
  CHECK(anna.count("error") == 1);
  send(Cbor::map({{"t", "push"}, {"ops", Cbor::bytes(to_bytes("garbage"))}}));
  CHECK(anna.count("error") == 1);
  send(Cbor::map(
      {{"t", "hello"}, {"protocol", kProtocolVersion}, {"format", kFormatVersion}, {"replica", "x"}}));
  CHECK(anna.count("error") == 1);

  Prng random(5);
  Bytes good = encode_cbor(
      Cbor::map({{"d", to_hex(world.document)},
                 {"m", Cbor::bytes(encode_cbor(Cbor::map(
                           {{"t", "push"}, {"ops", Cbor::bytes(encode_chunk(anna.replica.log()))}})))}}));
  Digest before = world.at_hub().replica.hash();
  for (int round = 0; round < 3000; ++round) {
    Bytes bytes = good;
    for (size_t flips = 1 + random.below(5); flips > 0; --flips)
      bytes[random.below(bytes.size())] = static_cast<uint8_t>(random.next());
    if (anna.socket && !anna.socket->receive(bytes)) anna.connect();
  }
  anna.inbox.clear();
  CHECK(world.at_hub().replica.hash() == before);

  // Not a frame at all: the connection is to be closed.
  CHECK_FALSE(anna.socket->receive(to_bytes("hello")));
  CHECK_FALSE(anna.socket->receive(encode_cbor(Cbor::map({{"d", "x"}, {"m", Cbor::bytes({})}}))));
}

TEST_CASE("a connection begins with a good token, or ends") {
  LiveWorld world;
  auto deny = [](std::string_view) -> Result<SignedIn> {
    return Error{ErrorCode::kUnauthenticated, "no", 0};
  };
  for (const Bytes& first : {to_bytes("x"), encode_cbor(Cbor::map({{"t", "hello"}})),
                             encode_cbor(Cbor::map({{"t", "auth"}, {"token", "kal_x"}}))}) {
    std::vector<Bytes> sent;
    LiveSession session(world.hub, deny, [&](Bytes frame) { sent.push_back(std::move(frame)); });
    CHECK_FALSE(session.receive(first));
    REQUIRE(sent.size() == 1);
    CHECK((*decode_cbor(sent[0]))["t"].as_text() == "error");
  }
}

TEST_CASE("a copy of another protocol or format is told to reload, never fed") {
  LiveWorld world;
  Client anna = world.client();
  for (auto [protocol, format] : {std::pair<int, int>{0, 2}, {2, 2}, {1, 1}, {1, 3}}) {
    anna.connect();
    anna.frames.clear();
    anna.reload.clear();
    anna.say(encode_cbor(Cbor::map({{"t", "hello"},
                                    {"protocol", protocol},
                                    {"format", format},
                                    {"replica", to_hex(anna.replica.options().replica)},
                                    {"epoch", 0},
                                    {"seq", 0}})));
    anna.settle();
    CHECK_FALSE(anna.reload.empty());
    CHECK(anna.count("ops") + anna.count("snapshot") == 0);
  }
}

TEST_CASE("a push without a hello is refused, and after bye nothing comes any more") {
  LiveWorld world;
  Client anna = world.client(), ben = world.client(true);
  anna.connect();
  ben.connect();
  ben.say(encode_cbor(Cbor::map({{"t", "bye"}})));
  ben.frames.clear();
  anna.edit({anna.title(world.card, "x")});
  ben.settle();
  CHECK(ben.frames.empty());
  ben.edit({ben.title(world.card, "y")});
  ben.settle();
  CHECK(ben.count("error") == 1);
  CHECK(world.at_hub().replica.document().find(world.card)->text_value(Field::kTitle) == "x");
}

}  // namespace kalends::test
