/**
 * Every limit on what a client, or many together, can make this process hold or do. A limit stands here and nowhere
 * else; whoever enforces it names it to the client (`limitRemark`). docs/limits.md lists them for users.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Longest remark of an answer, UTF-8 bytes: remarks quote what clients sent. */
export const MAX_REMARK_BYTES = 1 * KIB;
/** Largest frame in either direction, the length field included (RocketMQ's `frameMaxLength`). */
export const MAX_FRAME_BYTES = 16 * MIB;
/**
 * Bytes of frames whose end has not come, over all connections of a broker, and of a name server. A frame lies whole
 * in memory before it is understood, so without this, seventy connections that stop before the end of a large one hold
 * a gigabyte.
 */
export const MAX_UNFINISHED_BYTES = 256 * MIB;
export const MAX_NAME_SERVER_UNFINISHED_BYTES = 64 * MIB;
/** An unfinished frame must end, or grow by so many bytes, within so many milliseconds. */
export const MIN_FRAME_GROWTH_BYTES = 1 * KIB;
export const FRAME_STALL_MS = 10_000;

/** Answers of a connection that its peer has not read: beyond, its requests wait. */
export const MAX_UNSENT_BYTES = 4 * MIB;
/** The same where waiting does not help, as what is under way is answered nevertheless: beyond, it is closed. */
export const MAX_OUTPUT_BYTES = 48 * MIB;
/** Answers that have not been read, over all connections of a broker, and of a name server. */
export const MAX_BROKER_OUTPUT_BYTES = 512 * MIB;
export const MAX_NAME_SERVER_OUTPUT_BYTES = 128 * MIB;

/** Requests under way of one connection of the name server, and of all: beyond, its socket is not read. */
export const MAX_REQUESTS_PER_CONNECTION = 64;
export const MAX_REQUESTS_UNDER_WAY = 1024;
/** How long the requests of one connection are served in a row before others have their turn. */
export const MAX_TURN_MS = 2;

/** Connections of one server, as far as the descriptors of the process suffice (lib/descriptors.ts). */
export const MAX_CONNECTIONS = 20_000;

/** Connections to a master's replication port. */
export const MAX_SLAVES = 64;
/** Those of one host among them: who fills its places leaves those of others. */
export const MAX_SLAVES_OF_HOST = 16;

/**
 * TLS handshakes under way in a network thread, or in a name server: beyond, those go that have taken longest. A
 * handshake must end within so many milliseconds (as in RocketMQ).
 */
export const MAX_TLS_HANDSHAKES = 512;
export const TLS_HANDSHAKE_MS = 10_000;

/**
 * Bytes of a header: names and values of all its fields with their escapes. RocketMQ's properties of 32,767 bytes take
 * 196,602 when JSON escapes each of them.
 */
export const MAX_HEADER_BYTES = 256 * KIB;
/** Fields in the header of a request (RocketMQ's longest has 16). */
export const MAX_HEADER_FIELDS = 64;
/** Longest topic name, and that of a retry or dead letter topic (RocketMQ's numbers, as for groups). */
export const MAX_TOPIC_NAME = 127;
export const MAX_DERIVED_TOPIC_NAME = 255;
/** Longest group name: `%RETRY%group` has to fit into a topic's name. */
export const MAX_GROUP_NAME = 120;
/** Longest name of anything else: broker, cluster, namespace, address; also of a topic or group that is looked up. */
export const MAX_NAME = 255;
/** Longest client id. */
export const MAX_CLIENT_ID = 1 * KIB;
/** Longest other text in the header of a request, in characters; the properties of a message have their own limit. */
export const MAX_FIELD_TEXT = 32 * KIB;
/** Topics and consumer groups of a broker; retry and dead letter topics count too. */
export const MAX_TOPICS = 100_000;
export const MAX_GROUPS = 100_000;
/** Queues that all topics of a broker get between two starts: a deleted topic's queues count until the next one. */
export const MAX_QUEUES = MIB;
/** Queues of one topic (RocketMQ has no limit; its own largest topic has 1024). */
export const MAX_QUEUES_PER_TOPIC = 4 * KIB;
/** Lite topics of a broker, below all their parents. */
export const MAX_LITE_TOPICS = 100_000;
/** Lite topics that one request subscribes to or gives up, and the bytes of such a request. */
export const MAX_LITE_TOPICS_ASKED = 4 * KIB;
export const MAX_LITE_SUBSCRIPTION_BYTES = MIB;
/** Longest value of an attribute of a topic or group. */
export const MAX_ATTRIBUTE = 255;
/** Longest JSON text of what a group's configuration holds beside plain settings: retry policy, subscriptions. */
export const MAX_GROUP_EXTRAS = 16 * KIB;
/** Delays that a group's retry policy lists, and the longest of them. */
export const MAX_RETRY_DELAYS = 128;
export const MAX_RETRY_DELAY_MS = 366 * 86_400_000;
/** Longest subscription expression, in characters, and tags that it may name. */
export const MAX_EXPRESSION = 8 * KIB;
export const MAX_TAGS = 512;
/** Nesting of an SQL filter, strings in one of its lists, and parts that may go through a whole value each. */
export const MAX_SQL_DEPTH = 200;
export const MAX_SQL_ELEMENTS = 1 * KIB;
export const MAX_SQL_SEARCHES = 128;
/** Consumers that a group has online; each of them is told of each that comes or goes. */
export const MAX_GROUP_MEMBERS = 20_000;
/** Producer groups that one connection is in. */
export const MAX_PRODUCER_GROUPS = 1 * KIB;
/** Consumed offsets (group, topic, queue) of a broker, and as many pulled ones: written every five seconds. */
export const MAX_OFFSETS = 2 * MIB;
/** Queues that orderly consumers hold locked. */
export const MAX_LOCKS = 256 * KIB;
/** Topics that groups are forbidden to read (request 353). */
export const MAX_FORBIDDEN = 64 * KIB;
/** Subscriptions of consumers without heartbeats, and counters for statistics; what comes on top is not counted. */
export const MAX_OFFLINE_SUBSCRIPTIONS = 64 * KIB;
export const MAX_COUNTERS = 256 * KIB;
/**
 * Bytes of stored messages that consumers have given back and that are on their way into the log again: half of
 * MAX_PUT_BYTES, so that those who bring their own bytes need not wait behind what makes much out of little.
 */
export const MAX_SEND_BACK_BYTES = 16 * MIB;
/**
 * Bytes of messages in the answer to a query by key, bytes of those that it looks at (keys of one hash are many), and
 * entries of the index.
 */
export const MAX_QUERY_BYTES = 8 * MIB;
export const MAX_QUERY_LOOKED_BYTES = 64 * MIB;
export const MAX_QUERY_ENTRIES = 64 * KIB;
/** Clients that one request has the broker ask or tell something. */
export const MAX_ASKED_CLIENTS = 1 * KIB;
/** Queues of all topics that one request makes or changes. */
export const MAX_QUEUES_ASKED = 64 * KIB;
/** Consumer groups and producer groups in one heartbeat, and topics that one consumer subscribes to. */
export const MAX_HEARTBEAT_GROUPS = 1 * KIB;
export const MAX_SUBSCRIPTIONS = 4 * KIB;
/** Members of all consumer groups, of all producer groups: a client counts in each of its groups. */
export const MAX_CONSUMERS = 256 * KIB;
export const MAX_PRODUCERS = 256 * KIB;
/** Bytes of the subscriptions of all groups that are online, and of those that pulls without heartbeats told of. */
export const MAX_SUBSCRIPTION_BYTES = 64 * MIB;
export const MAX_OFFLINE_SUBSCRIPTION_BYTES = 32 * MIB;
/** Tags in all subscriptions of one consumer: they travel to every network thread. */
export const MAX_CONSUMER_TAGS = 64 * KIB;
/** The same of characters of expressions of other types than TAG. */
export const MAX_CONSUMER_EXPRESSIONS = 256 * KIB;
/** SQL filters of groups that are remembered, and their characters: those of groups that are gone for a day. */
export const MAX_CONSUMER_FILTERS = 64 * KIB;
export const MAX_CONSUMER_FILTER_CHARACTERS = 16 * MIB;
/** Subscription texts that a network thread keeps parsed, and their characters: others are parsed anew each time. */
export const MAX_PARSED_FILTERS = 4 * KIB;
export const MAX_PARSED_FILTER_CHARACTERS = MIB;
/** Addresses that brokers have registered with a name server, and topics that all of them serve, one by one. */
export const MAX_REGISTERED_BROKERS = 4 * KIB;
export const MAX_REGISTERED_TOPICS = MIB;
/** Queue mappings of static topics that a name server keeps; each is at most as long as a text may be. */
export const MAX_QUEUE_MAPPINGS = 16 * KIB;
/** Static topics of a broker. */
export const MAX_STATIC_TOPICS = 16 * KIB;
/** Modes (PULL, POP) that operators have set for a topic and a group; those of names that are gone make room. */
export const MAX_REQUEST_MODES = 16 * KIB;
/** Topics whose queues on all brokers are remembered, for clients that ask which are theirs; queues of one answer. */
export const MAX_ROUTED_TOPICS = 16 * KIB;
export const MAX_QUEUES_ASSIGNED = 64 * KIB;
/** Filter servers of a broker. */
export const MAX_FILTER_SERVERS = 64;
/** Key-value entries of a name server, and characters of all of them together. */
export const MAX_KV_ENTRIES = 16 * KIB;
export const MAX_KV_CHARACTERS = 4 * MIB;
/** Longest silence that a broker can ask a name server to put up with, in ms. */
export const MAX_HEARTBEAT_TIMEOUT_MS = 600_000;
/** Longest wait that a pull can ask for, in ms; longer ones end then, which looks like "nothing has come". */
export const MAX_SUSPEND_MS = 120_000;

/** Longest JSON body of a request, in characters; a broker's registration may fill a frame. */
export const MAX_JSON_BODY = 4 * MIB;
/** Longest text in the JSON body of a request, in characters. */
export const MAX_JSON_TEXT = 64 * KIB;
/** Deepest nesting of a JSON text, our own files included; small enough for the stack. */
export const MAX_JSON_DEPTH = 200;
/** Values in the JSON body of a request. What a reference stands for counts again each time. */
export const MAX_JSON_VALUES = 256 * KIB;
/** Bytes in a change of a server's configuration (requests 25 and 318). */
export const MAX_CONFIG_BODY = 256 * KIB;
/** Bytes of a compressed registration once it is inflated: a stream of 16 MiB could unfold to 16 GiB. */
export const MAX_INFLATED_BYTES = 32 * MIB;
/** Values in a broker's registration with the name server: some ten for each of its topics. */
export const MAX_REGISTRATION_VALUES = MIB;

/** The sentence for a request that went over a limit: what is limited, by what number, and which limit it is. */
export function limitRemark(what: string, limit: number, name: string): string {
  return `${what}: more than ${limit} (limit ${name})`;
}

/** Posted bytes that may wait for room in a channel to a thread before control takes no more requests. */
export const MAX_CHANNEL_BACKLOG_BYTES = 32 * MIB;
/**
 * What one connection may put before others in a round of control's, one frame at least: bytes, a frame counts 16 KiB,
 * its length, and the length of the connection's last answers.
 */
export const MAX_CONTROL_SHARE_BYTES = 128 * KIB;
/** Requests that control answers later (its own messages, questions to clients), of one connection. */
export const MAX_CONTROL_REQUESTS_PER_CONNECTION = 4096;
/** Same, of all connections together: then control takes no more requests until some are answered. */
export const MAX_CONTROL_REQUESTS = 16 * 1024;
/**
 * Replies that were pushed to clients which have not said that they have them, and their bytes: of one client, and of
 * all, so that clients that say nothing leave room for other requests that are answered later.
 */
export const MAX_PUSHES_PER_CLIENT = 1024;
export const MAX_PUSHES = MAX_CONTROL_REQUESTS / 2;
export const MAX_PUSH_BYTES_PER_CLIENT = 16 * MIB;
export const MAX_PUSH_BYTES = 128 * MIB;
/** Queries by key of one connection that are not answered yet. */
export const MAX_KEY_QUERIES_PER_CONNECTION = 128;
/** Same, of all connections together; one is looked up at a time. */
export const MAX_KEY_QUERIES = 1024;
/** Messages of the broker's own (retries, delays, dead letters) on their way to the log. */
export const MAX_PUTS = 4096;
/** Their bytes: then send-backs are refused, and control takes no more requests that lead to such messages. */
export const MAX_PUT_BYTES = 32 * MIB;

/** Transactions that nobody has ended: beyond, the oldest are given up. */
export const MAX_OPEN_HALVES = 1024 * KIB;
/** Half messages between the first open one and the end of their queue: beyond, it is moved to the end. */
export const MAX_HALVES_SPAN = 2048 * KIB;
/** Given-up transactions that their producers may still end; older ones have to be resumed first. */
export const MAX_GIVEN_UP = 10_000;
/** Records of ends written since a transaction was given up: beyond, it has to be resumed first. A start reads them. */
export const MAX_OPS_AFTER_GIVE_UP = 64 * KIB;
/** Recalled messages that delivery knows in memory, of slots that are near: beyond, their slots are read once more. */
export const MAX_RECALLED_KEYS = 256 * KIB;

/**
 * Timed messages of which a slave that acts for its master remembers that it has delivered them: those beyond come
 * again when the master is back.
 */
export const MAX_ACTED_TIMERS = 256 * KIB;

/** Pulls of one connection that wait for messages, and of all connections of a network thread. */
export const MAX_PARKED_PULLS = 32 * 1024;
export const MAX_ALL_PARKED_PULLS = 512 * 1024;
/** Groups whose cold reads are counted, and groups with a threshold of their own for them. */
export const MAX_COLD_GROUPS = 1024;
/** Connections to the page with the metrics. */
export const MAX_METRICS_CONNECTIONS = 16;
/** Pairs of group and topic for which a network thread counts what it gives, until it tells control. */
export const MAX_GIVEN = 16 * 1024;
/** Names by which delivery counts a figure: between two reports to control all figures together, there each of them. */
export const MAX_DELIVERY_FIGURES = 16 * 1024;
/** Frames that wait until a topic or group has been made: of one name, and of all names of a network thread. */
export const MAX_CREATION_BYTES = 4 * MIB;
export const MAX_ALL_CREATION_BYTES = 64 * MIB;
/** Pulls of one connection whose messages have to be fetched from the disk, and of all of a network thread. */
export const MAX_FETCHES = 256;
export const MAX_ALL_FETCHES = 8 * 1024;

/** Groups that pop, each topic counted, and each retry topic: beyond, a group that is new there is refused. */
export const MAX_POPPED_QUEUES = 100_000;
/** Checkpoints of pops in memory: acks of others are found in the revive topic, and their messages seconds later. */
export const MAX_LIVE_CHECKPOINTS = 100_000;
/** Checkpoints that have not come yet of which acknowledgements are remembered. */
export const MAX_EARLY_ACKS = 100_000;
/** Bytes of the expressions of pops that wait for messages. */
export const MAX_PARKED_EXPRESSION_BYTES = 16 * MIB;
/** Bytes of a request that acknowledges several popped messages (200151). */
export const MAX_BATCH_ACK_BYTES = 64 * KIB;
/** Messages that one acknowledgement of it names for a pop and a queue: no pop brings more. */
export const MAX_ACKED_TOGETHER = 32;
/** Longest attempt id of an ordered pop, bytes: clients send 36. */
export const MAX_ATTEMPT_ID = 255;
/** Answers to pops for which a network thread fetches from the disk beside its work; beyond, it waits for them. */
export const MAX_FETCHING_POPS = 256;
