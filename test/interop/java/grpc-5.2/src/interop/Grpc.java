package interop;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientServiceProvider;
import org.apache.rocketmq.client.apis.consumer.ConsumeResult;
import org.apache.rocketmq.client.apis.consumer.FilterExpression;
import org.apache.rocketmq.client.apis.consumer.FilterExpressionType;
import org.apache.rocketmq.client.apis.message.MessageBuilder;
import org.apache.rocketmq.client.apis.message.MessageView;
import org.apache.rocketmq.client.apis.producer.Producer;
import org.apache.rocketmq.client.apis.producer.SendReceipt;
import org.apache.rocketmq.client.apis.producer.Transaction;

/**
 * Producers and consumers of the gRPC client, as many as are asked for, each by a name:
 *
 * <pre>
 * producer NAME TOPIC         send NAME --topic T ...   transact NAME --topic T --end commit|rollback|leave ...
 * recall NAME TOPIC HANDLE    push NAME --topic T --group G ...   simple NAME --topic T --group G ...
 * receive NAME MAX INVISIBLE  ack NAME KEY   invisible NAME KEY MS   close NAME...
 * lite NAME --topic T --group G ...   subscribe NAME LITE last|min|max   unsubscribe NAME LITE
 * </pre>
 */
public final class Grpc {
    private final ClientServiceProvider provider = ClientServiceProvider.loadService();
    private final ClientConfiguration configuration;
    private final Args args;
    private final Map<String, Closeable> clients = new HashMap<>();

    private Grpc(Args args) {
        this.args = args;
        this.configuration = ClientConfiguration.newBuilder()
            .setEndpoints(args.need("endpoints"))
            .setRequestTimeout(Duration.ofSeconds(10))
            .enableSsl(args.flag("tls"))
            .build();
    }

    public static void main(String[] argv) throws Exception {
        Grpc program = new Grpc(new Args(argv));
        Dialogue.answer(program::run);
        program.close(List.copyOf(program.clients.keySet()));
        Out.event("done");
        System.exit(0);
    }

    private Object run(String[] words) throws Exception {
        switch (words[0]) {
            case "producer" -> clients.put(words[1], producer(words[2]));
            case "push" -> clients.put(words[1], push(words[1], rest(words)));
            case "simple" -> clients.put(words[1], new Simple(provider, configuration, rest(words)));
            case "lite" -> clients.put(words[1], lite(words[1], rest(words)));
            case "close" -> close(Arrays.asList(words).subList(1, words.length));
            case "send" -> {
                return send((Producer) clients.get(words[1]), rest(words));
            }
            case "transact" -> {
                return transact((Producer) clients.get(words[1]), rest(words));
            }
            case "recall" -> {
                return ((Producer) clients.get(words[1])).recallMessage(words[2], words[3]).getMessageId().toString();
            }
            case "subscribe" -> {
                return ((Lite) clients.get(words[1])).subscribe(words[2], words[3]);
            }
            case "unsubscribe" -> {
                return ((Lite) clients.get(words[1])).unsubscribe(words[2]);
            }
            case "receive" -> {
                return simple(words).receive(Integer.parseInt(words[2]), Duration.ofMillis(Long.parseLong(words[3])));
            }
            case "ack" -> simple(words).ack(words[2]);
            case "invisible" -> simple(words).invisible(words[2], Duration.ofMillis(Long.parseLong(words[3])));
            default -> throw new IllegalArgumentException("command " + words[0]);
        }
        return null;
    }

    private static Args rest(String[] words) {
        return new Args(Arrays.copyOfRange(words, 2, words.length));
    }

    private Simple simple(String[] words) {
        return (Simple) clients.get(words[1]);
    }

    /** All at once: a push consumer waits for its requests, which wait for messages. */
    private void close(List<String> names) {
        List<Closeable> closing = names.stream().map(clients::remove).toList();
        closing.parallelStream().forEach(client -> {
            try {
                client.close();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        });
    }

    /** What it answers to a check stands in the property "check" of the message: commit, rollback or unknown. */
    private Producer producer(String topic) throws Exception {
        return provider.newProducerBuilder()
            .setClientConfiguration(configuration)
            .setTopics(topic)
            .setTransactionChecker(message -> {
                Out.event("check", "client", args.text("name", ""), "message", View.describe(message));
                return View.resolution(message.getProperties().getOrDefault("check", "unknown"));
            })
            .build();
    }

    private org.apache.rocketmq.client.apis.message.Message build(Args message) {
        byte[] body = View.body(message.number("body", 40), message.need("key"));
        MessageBuilder builder = provider.newMessageBuilder()
            .setTopic(message.need("topic"))
            .setKeys(message.need("key"))
            .setBody(body)
            .addProperty("crc", View.crc(body))
            .addProperty("unicode", View.UNICODE);
        if (message.text("tag", null) != null) {
            builder.setTag(message.need("tag"));
        }
        if (message.text("message-group", null) != null) {
            builder.setMessageGroup(message.need("message-group"));
        }
        if (message.text("lite-topic", null) != null) {
            builder.setLiteTopic(message.need("lite-topic"));
        }
        if (message.time("delay") != null) {
            builder.setDeliveryTimestamp(System.currentTimeMillis() + message.time("delay"));
        }
        if (message.time("priority") != null) {
            builder.setPriority(message.number("priority", 0));
        }
        for (String property : List.of("check", "number", "colour")) {
            if (message.text(property, null) != null) {
                builder.addProperty(property, message.need(property));
            }
        }
        return builder.build();
    }

    private Object send(Producer producer, Args message) throws Exception {
        return facts(producer.send(build(message)));
    }

    private Object transact(Producer producer, Args message) throws Exception {
        Transaction transaction = producer.beginTransaction();
        SendReceipt receipt = producer.send(build(message), transaction);
        switch (message.need("end")) {
            case "commit" -> transaction.commit();
            case "rollback" -> transaction.rollback();
            case "leave" -> {
            }
            default -> throw new IllegalArgumentException("end " + message.need("end"));
        }
        return facts(receipt);
    }

    private static Map<String, Object> facts(SendReceipt receipt) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("messageId", receipt.getMessageId().toString());
        facts.put("recallHandle", receipt.getRecallHandle());
        return facts;
    }

    static FilterExpression filter(Args consumer) {
        // Blanks part the words of a command, so that they are written as underscores in an expression.
        String expression = consumer.text("expression", "*").replace('_', ' ');
        return new FilterExpression(expression,
            consumer.flag("sql") ? FilterExpressionType.SQL92 : FilterExpressionType.TAG);
    }

    /** --fail KEY=TIMES,...: deliveries of a message that fail; "*" stands for all keys. --hold MS: how long one takes. */
    private Closeable push(String name, Args consumer) throws Exception {
        Failing failing = new Failing(consumer.text("fail", ""));
        return provider.newPushConsumerBuilder()
            .setClientConfiguration(configuration)
            .setConsumerGroup(consumer.need("group"))
            .setSubscriptionExpressions(Map.of(consumer.need("topic"), filter(consumer)))
            .setConsumptionThreadCount(consumer.number("threads", 4))
            .setMessageListener(message -> consume(name, message, failing, consumer.number("hold", 0)))
            .build();
    }

    private Closeable lite(String name, Args consumer) throws Exception {
        Failing failing = new Failing(consumer.text("fail", ""));
        return new Lite(provider, configuration, consumer,
            message -> consume(name, message, failing, consumer.number("hold", 0)));
    }

    private static ConsumeResult consume(String name, MessageView message, Failing failing, int hold) {
        boolean ok = !failing.fails(View.key(message));
        Out.event("message", "client", name, "ok", ok, "at", System.currentTimeMillis(),
            "message", View.describe(message));
        try {
            Thread.sleep(hold);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
        return ok ? ConsumeResult.SUCCESS : ConsumeResult.FAILURE;
    }
}
