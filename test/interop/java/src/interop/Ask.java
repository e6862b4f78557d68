package interop;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Sends requests and waits for their replies, by commands on stdin: "ask --topic T --prefix P --number N" waits for one,
 * "ask-many ... --count N --in-flight M" has many under way at once. --timeout MS, --reply-size BYTES. A reply is right
 * when it names the key of its request.
 */
public final class Ask {
    private final DefaultMQProducer producer;

    private Ask(Args args) {
        producer = new DefaultMQProducer(args.text("group", "interop-requesters"));
        producer.setNamesrvAddr(args.need("namesrv"));
        producer.setInstanceName("ask-" + System.nanoTime());
    }

    public static void main(String[] argv) throws Exception {
        Ask program = new Ask(new Args(argv));
        program.producer.start();
        Dialogue.answer(program::run);
        program.producer.shutdown();
        Out.event("done");
        System.exit(0);
    }

    private Object run(String[] words) throws Exception {
        Args args = new Args(Arrays.copyOfRange(words, 1, words.length));
        return switch (words[0]) {
            case "ask" -> ask(args);
            case "ask-many" -> askMany(args);
            default -> throw new IllegalArgumentException("command " + words[0]);
        };
    }

    private static Message request(Args args, int number) {
        Message request = Payload.build(args, number);
        request.putUserProperty("reply-size", args.text("reply-size", "0"));
        return request;
    }

    private static boolean fits(Message request, Message reply, Args args) {
        String text = new String(reply.getBody(), StandardCharsets.UTF_8);
        return text.startsWith("reply to " + request.getKeys() + ".")
            && text.length() >= args.number("reply-size", 0);
    }

    private Object ask(Args args) throws Exception {
        Message request = request(args, args.number("number", 0));
        MessageExt reply = (MessageExt) producer.request(request, args.number("timeout", 20_000));
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("right", fits(request, reply, args));
        facts.put("bodySize", reply.getBody().length);
        facts.put("topic", reply.getTopic());
        facts.put("queueId", reply.getQueueId());
        facts.put("flag", reply.getFlag());
        facts.put("bornTime", reply.getBornTimestamp());
        facts.put("storeTime", reply.getStoreTimestamp());
        facts.put("bornHost", String.valueOf(reply.getBornHost()));
        facts.put("storeHost", String.valueOf(reply.getStoreHost()));
        facts.put("properties", reply.getProperties());
        facts.put("correlationId", request.getProperty("CORRELATION_ID"));
        facts.put("clientId", request.getProperty("REPLY_TO_CLIENT"));
        return facts;
    }

    private Object askMany(Args args) throws Exception {
        int inFlight = args.number("in-flight", 100);
        Semaphore window = new Semaphore(inFlight);
        AtomicInteger right = new AtomicInteger();
        AtomicInteger wrong = new AtomicInteger();
        AtomicInteger failed = new AtomicInteger();
        for (int number = 0; number < args.number("count", 1); number++) {
            window.acquire();
            Message request = request(args, number);
            producer.request(request, new RequestCallback() {
                @Override
                public void onSuccess(Message reply) {
                    (fits(request, reply, args) ? right : wrong).incrementAndGet();
                    window.release();
                }

                @Override
                public void onException(Throwable error) {
                    failed.incrementAndGet();
                    Out.event("ask-failed", "key", request.getKeys(), "error", Errors.describe(error));
                    window.release();
                }
            }, args.number("timeout", 20_000));
        }
        boolean all = window.tryAcquire(inFlight, 60, TimeUnit.SECONDS);
        return Map.of("right", right.get(), "wrong", wrong.get(), "failed", failed.get(), "all", all);
    }
}
