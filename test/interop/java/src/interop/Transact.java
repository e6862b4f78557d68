package interop;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * A producer of transactional messages that reads commands from stdin, each answered by "answer" or "refused":
 * "send --topic T --prefix P --number N --local STATE --checks STATE,STATE..." sends in a transaction, "plain ..."
 * without. The script travels in the message, so that any member of the group can answer a check: its first entry
 * answers the first check, its last one all further ones. States are commit, rollback, unknown, throw and halt, which
 * ends this process on the spot.
 */
public final class Transact implements TransactionListener {
    private final TransactionMQProducer producer;

    private Transact(Args args) {
        producer = new TransactionMQProducer(args.text("group", "interop-transactions"));
        producer.setNamesrvAddr(args.need("namesrv"));
        producer.setInstanceName(args.text("instance", "transact-" + System.nanoTime()));
        producer.setSendMsgTimeout(args.number("timeout", 30_000));
        // Heartbeats tell the broker whom it may ask; the default is one every 30 s.
        producer.setHeartbeatBrokerInterval(1000);
        producer.setTransactionListener(this);
    }

    public static void main(String[] argv) throws Exception {
        Transact program = new Transact(new Args(argv));
        program.producer.start();
        Dialogue.answer(program::run);
        program.producer.shutdown();
        Out.event("done");
        System.exit(0);
    }

    private Object run(String[] words) throws Exception {
        Args args = new Args(Arrays.copyOfRange(words, 1, words.length));
        Message message = Payload.build(args, args.number("number", 0));
        switch (words[0]) {
            case "plain" -> {
                return facts(message, producer.send(message));
            }
            case "send" -> {
                message.putUserProperty("local", args.text("local", "commit"));
                message.putUserProperty("checks", args.text("checks", "unknown"));
                if (args.number("immunity", -1) >= 0) {
                    message.putUserProperty("CHECK_IMMUNITY_TIME_IN_SECONDS", args.need("immunity"));
                }
                return facts(message, producer.sendMessageInTransaction(message, null));
            }
            default -> throw new IllegalArgumentException("command " + words[0]);
        }
    }

    static Map<String, Object> facts(Message message, SendResult result) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("key", message.getKeys());
        facts.put("msgId", result.getMsgId());
        facts.put("offsetMsgId", result.getOffsetMsgId());
        facts.put("status", result.getSendStatus().name());
        facts.put("queueId", result.getMessageQueue().getQueueId());
        facts.put("queueOffset", result.getQueueOffset());
        facts.put("transactionId", result.getTransactionId());
        facts.put("recallHandle", Compat.recallHandle(result));
        if (result instanceof TransactionSendResult transaction) {
            facts.put("state", transaction.getLocalTransactionState().name());
        }
        return facts;
    }

    @Override
    public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
        Out.event("local", "key", message.getKeys(), "transactionId", message.getTransactionId());
        return state(message.getUserProperty("local"));
    }

    @Override
    public LocalTransactionState checkLocalTransaction(MessageExt message) {
        String times = message.getProperty("TRANSACTION_CHECK_TIMES");
        String[] script = message.getUserProperty("checks").split(",");
        int check = times == null ? 1 : Integer.parseInt(times);
        String answer = script[Math.min(check, script.length) - 1];
        Out.event("check", "at", System.currentTimeMillis(), "answer", answer,
            "transactionId", message.getTransactionId(), "message", Payload.describe(message));
        return state(answer);
    }

    private static LocalTransactionState state(String word) {
        switch (word) {
            case "commit" -> {
                return LocalTransactionState.COMMIT_MESSAGE;
            }
            case "rollback" -> {
                return LocalTransactionState.ROLLBACK_MESSAGE;
            }
            case "unknown" -> {
                return LocalTransactionState.UNKNOW;
            }
            case "halt" -> {
                Runtime.getRuntime().halt(0);
                throw new AssertionError("halted");
            }
            default -> throw new IllegalStateException(word);
        }
    }
}
