package interop;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.filter.expression.EvaluationContext;
import org.apache.rocketmq.filter.expression.Expression;
import org.apache.rocketmq.filter.parser.SelectorParser;

/**
 * Says what RocketMQ's filter makes of messages. On stdin, until its end: an expression (length in bytes, UTF-16 units),
 * how many messages follow, and of each its properties as a record has them (length, bytes). On stdout one letter a
 * message: R the expression is refused, T true, F false, N null, X the evaluation throws.
 */
public final class SqlOracle {
    private SqlOracle() {
    }

    public static void main(String[] args) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
        OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16);
        for (int cases = in.readInt(); cases > 0; cases--) {
            // Not decoded: half a surrogate pair has to stay what it is.
            ByteBuffer text = ByteBuffer.wrap(in.readNBytes(in.readInt()));
            Expression expression = compile(text.asCharBuffer().toString());
            for (int messages = in.readInt(); messages > 0; messages--) {
                out.write(ask(expression, new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8)));
            }
        }
        out.flush();
    }

    private static Expression compile(String text) {
        try {
            return SelectorParser.parse(text);
        } catch (Throwable refused) {
            return null;
        }
    }

    private static char ask(Expression expression, String properties) {
        if (expression == null) {
            return 'R';
        }
        Map<String, String> values = MessageDecoder.string2messageProperties(properties);
        try {
            Object value = expression.evaluate(new EvaluationContext() {
                @Override
                public Object get(String name) {
                    return values.get(name);
                }

                @Override
                public Map<String, Object> keyValues() {
                    return Map.copyOf(values);
                }
            });
            return value == null ? 'N' : (Boolean) value ? 'T' : 'F';
        } catch (Throwable thrown) {
            return 'X';
        }
    }
}
