package interop;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Answers each request of --topic with "reply to KEY." and as much more as the request asks for. --late MS waits before
 * that. Prints "asked" for each request, then "replied" or "reply-failed".
 */
public final class Replier {
    private final Args args;
    private final DefaultMQProducer producer;
    private final DefaultMQPushConsumer consumer;
    private final CountDownLatch stop = Stdin.stopLatch();

    private Replier(Args args) throws Exception {
        this.args = args;
        producer = new DefaultMQProducer(args.text("producer-group", "interop-repliers"));
        producer.setNamesrvAddr(args.need("namesrv"));
        producer.setInstanceName("reply-" + System.nanoTime());
        producer.setRetryTimesWhenSendFailed(0);
        producer.setSendMsgTimeout(15_000);
        consumer = new DefaultMQPushConsumer(args.need("group"));
        consumer.setNamesrvAddr(args.need("namesrv"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeThreadMin(args.number("threads", 20));
        consumer.setConsumeThreadMax(args.number("threads", 20));
        consumer.setPullInterval(0);
        consumer.subscribe(args.need("topic"), "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(this::answer);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
    }

    public static void main(String[] argv) throws Exception {
        Replier program = new Replier(new Args(argv));
        program.producer.start();
        program.consumer.start();
        Out.event("ready");
        program.stop.await();
        program.consumer.shutdown();
        program.producer.shutdown();
        Out.event("done");
        System.exit(0);
    }

    private void answer(MessageExt request) {
        String key = request.getKeys();
        if (request.getProperty("CORRELATION_ID") == null) {
            return; // it only made the topic
        }
        Out.event("asked", "key", key, "properties", request.getProperties());
        try {
            Thread.sleep(args.number("late", 0));
            SendResult result = producer.send(reply(request));
            Out.event("replied", "key", key, "status", result.getSendStatus().name(), "msgId", result.getOffsetMsgId(),
                "queueId", result.getMessageQueue().getQueueId(), "queueOffset", result.getQueueOffset());
        } catch (Exception error) {
            Out.event("reply-failed", "key", key, "error", Errors.describe(error));
        }
    }

    private static Message reply(MessageExt request) throws Exception {
        byte[] text = ("reply to " + request.getKeys() + ".").getBytes(StandardCharsets.UTF_8);
        byte[] body = Arrays.copyOf(text, Math.max(text.length, Integer.parseInt(request.getUserProperty("reply-size"))));
        Arrays.fill(body, text.length, body.length, (byte) 'x');
        return MessageUtil.createReplyMessage(request, body);
    }
}
