package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

const inFlight = 128

// The number of a message that only marks the end of the one-way ones; beyond all others.
const fence = 999_999_999

type sender struct {
	args          arguments
	client        rocketmq.Producer
	acked, failed int64
}

func produce(args arguments) error {
	options := []producer.Option{
		producer.WithNsResolver(args.resolver()),
		producer.WithGroupName(args.text("group", "interop-producer")),
		producer.WithRetry(args.number("retries", 0)),
		producer.WithSendMsgTimeout(30 * time.Second),
		producer.WithInstanceName(args.text("instance", fmt.Sprint(time.Now().UnixNano()))),
	}
	if args["trace"] == "true" {
		options = append(options, producer.WithTrace(args.trace()))
	}
	if strings.Contains(args["modes"], "ordered") {
		options = append(options, producer.WithQueueSelector(producer.NewHashQueueSelector()))
	}
	options = append(options, producerTLS(args)...)
	client, err := rocketmq.NewProducer(options...)
	if err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}
	work := &sender{args: args, client: client}
	event("ready", nil)
	if args["until-stop"] == "true" {
		work.untilStop()
	} else {
		err = work.runModes()
	}
	time.Sleep(time.Duration(args.number("linger", 0)) * time.Millisecond)
	event("done", fields{"acked": atomic.LoadInt64(&work.acked), "failed": atomic.LoadInt64(&work.failed)})
	if err == nil && work.failed > 0 && args["until-stop"] != "true" {
		err = fmt.Errorf("%d sends failed", work.failed)
	}
	if stopped := client.Shutdown(); err == nil {
		err = stopped
	}
	return err
}

func (work *sender) runModes() error {
	start, count := work.args.number("start", 0), work.args.number("count", 1)
	for _, mode := range strings.Split(work.args.text("modes", "sync"), ",") {
		switch mode {
		case "sync", "ordered":
			for number := start; number < start+count; number++ {
				work.one(number)
			}
		case "async":
			work.async(start, count)
		case "oneway":
			work.oneway(start, count)
		case "batch":
			work.batches(start, count)
		default:
			return fmt.Errorf("mode %s", mode)
		}
		event("mode-done", fields{"mode": mode})
		start += count
	}
	return nil
}

func (work *sender) one(number int) {
	message := buildMessage(work.args, number)
	result, err := work.client.SendSync(context.Background(), message)
	work.report([]*primitive.Message{message}, result, err)
}

func (work *sender) async(start, count int) {
	window := make(chan struct{}, inFlight)
	var all sync.WaitGroup
	for number := start; number < start+count; number++ {
		window <- struct{}{}
		all.Add(1)
		work.dispatch(number, func() {
			<-window
			all.Done()
		})
	}
	all.Wait()
}

func (work *sender) dispatch(number int, done func()) {
	message := buildMessage(work.args, number)
	err := work.client.SendAsync(context.Background(), func(_ context.Context, result *primitive.SendResult, err error) {
		work.report([]*primitive.Message{message}, result, err)
		done()
	}, message)
	if err != nil {
		work.report([]*primitive.Message{message}, nil, err)
		done()
	}
}

func (work *sender) oneway(start, count int) {
	for number := start; number < start+count; number++ {
		message := buildMessage(work.args, number)
		if err := work.client.SendOneWay(context.Background(), message); err != nil {
			work.report([]*primitive.Message{message}, nil, err)
			continue
		}
		event("oneway", fields{"key": strings.TrimSpace(message.GetKeys())})
	}
	// One send with an answer behind them on the same connection: then the broker has read them all.
	work.one(fence)
}

func (work *sender) batches(start, count int) {
	size := work.args.number("batch", 32)
	for first := start; first < start+count; first += size {
		batch := []*primitive.Message{}
		for number := first; number < first+size && number < start+count; number++ {
			batch = append(batch, buildMessage(work.args, number))
		}
		result, err := work.client.SendSync(context.Background(), batch...)
		work.report(batch, result, err)
	}
}

func (work *sender) untilStop() {
	stop := stopSignal()
	perTick := work.args.number("rate", 1000) / 100
	window := make(chan struct{}, inFlight)
	number := work.args.number("start", 0)
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for {
		select {
		case <-stop:
			for i := 0; i < inFlight; i++ {
				window <- struct{}{}
			}
			return
		case <-ticks.C:
			for i := 0; i < perTick && len(window) < inFlight; i++ {
				window <- struct{}{}
				work.dispatch(number, func() { <-window })
				number++
			}
		}
	}
}

func (work *sender) report(messages []*primitive.Message, result *primitive.SendResult, err error) {
	if err != nil {
		for _, message := range messages {
			atomic.AddInt64(&work.failed, 1)
			event("send-failed", fields{"key": strings.TrimSpace(message.GetKeys()), "error": fields{"message": err.Error()}})
		}
		return
	}
	offsetIds := strings.Split(result.OffsetMsgID, ",")
	for i, message := range messages {
		atomic.AddInt64(&work.acked, 1)
		status := "SEND_OK"
		if result.Status != primitive.SendOK {
			status = fmt.Sprintf("SEND_STATUS_%d", result.Status)
		}
		event("sent", fields{
			"key": strings.TrimSpace(message.GetKeys()), "tag": message.GetTags(), "status": status,
			"msgId": uniqueID(message, pick(offsetIds, i)), "offsetMsgId": pick(offsetIds, i), "broker": result.MessageQueue.BrokerName,
			"queueId": result.MessageQueue.QueueId, "queueOffset": result.QueueOffset + int64(i),
		})
	}
}

// uniqueID is the client's id of one message. Of a batch this client gives its messages none; then, as on the
// receiving side, the offset id stands in.
func uniqueID(message *primitive.Message, offsetID string) string {
	if id := message.GetProperty(primitive.PropertyUniqueClientMessageIdKeyIndex); id != "" {
		return id
	}
	return offsetID
}

func pick(items []string, index int) string {
	if index < len(items) {
		return items[index]
	}
	return ""
}
