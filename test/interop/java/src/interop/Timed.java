package interop;

import java.util.Arrays;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

/**
 * A producer of messages at a time of its choice that reads commands from stdin, each answered by "answer" or
 * "refused": "send --topic T --prefix P --number N" with --delay-sec, --delay-ms, --deliver-ms or --delay-level, and
 * "recall TOPIC HANDLE".
 */
public final class Timed {
    private Timed() {
    }

    public static void main(String[] argv) throws Exception {
        Args args = new Args(argv);
        DefaultMQProducer producer = new DefaultMQProducer(args.text("group", "interop-timed"));
        producer.setNamesrvAddr(args.need("namesrv"));
        producer.setInstanceName("timed-" + System.nanoTime());
        producer.setRetryTimesWhenSendFailed(0);
        producer.start();
        Dialogue.answer(words -> run(producer, words));
        producer.shutdown();
        Out.event("done");
        System.exit(0);
    }

    private static Object run(DefaultMQProducer producer, String[] words) throws Exception {
        switch (words[0]) {
            case "send" -> {
                Args args = new Args(Arrays.copyOfRange(words, 1, words.length));
                Message message = Payload.build(args, args.number("number", 0));
                return Transact.facts(message, producer.send(message));
            }
            case "recall" -> {
                return Compat.recall(producer, words[1], words[2]);
            }
            default -> throw new IllegalArgumentException("command " + words[0]);
        }
    }
}
