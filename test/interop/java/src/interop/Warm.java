package interop;

import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

/** Goes through a producer and a push consumer that find no name server, so that most classes of a client are loaded. */
public final class Warm {
    private static final String NOWHERE = "127.0.0.1:1";

    private Warm() {
    }

    public static void main(String[] argv) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("warm");
        producer.setNamesrvAddr(NOWHERE);
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer("warm");
        consumer.setNamesrvAddr(NOWHERE);
        consumer.subscribe("warm", "*");
        consumer.registerMessageListener(
            (MessageListenerConcurrently) (messages, context) -> ConsumeConcurrentlyStatus.CONSUME_SUCCESS);
        producer.start();
        refused(() -> producer.send(new Message("warm", new byte[1])));
        refused(consumer::start);
        consumer.shutdown();
        producer.shutdown();
        System.exit(0);
    }

    private interface Step {
        void run() throws Exception;
    }

    private static void refused(Step step) {
        try {
            step.run();
        } catch (Exception expected) {
            Out.event("refused", "error", Errors.describe(expected));
        }
    }
}
