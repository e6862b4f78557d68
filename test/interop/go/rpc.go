package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// ask sends requests and waits for their replies, as the Java program of this name does. This client hears of a broker by
// its first send and tells it of itself one second after the start: so it sends something at once.
func ask(args arguments) error {
	client, err := rocketmq.NewProducer(
		producer.WithNsResolver(args.resolver()),
		producer.WithGroupName(args.text("group", "interop-requesters")),
		producer.WithInstanceName(fmt.Sprint(time.Now().UnixNano())),
	)
	if err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}
	if _, err := client.SendSync(context.Background(), buildMessage(args, 0)); err != nil {
		return err
	}
	event("ready", nil)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() && lines.Text() != "stop" {
		words := strings.Split(lines.Text(), " ")
		given := arguments{}
		for i := 1; i+1 < len(words); i += 2 {
			given[words[i][2:]] = words[i+1]
		}
		run := askOne
		if words[0] == "ask-many" {
			run = askMany
		}
		facts, err := run(client, given)
		if err != nil {
			event("refused", fields{"question": lines.Text(), "error": fields{"type": "error", "code": -1, "message": err.Error()}})
			continue
		}
		event("answer", fields{"question": lines.Text(), "result": facts})
	}
	if err := client.Shutdown(); err != nil {
		return err
	}
	event("done", nil)
	return nil
}

func request(args arguments, number int) *primitive.Message {
	message := buildMessage(args, number)
	message.WithProperty("reply-size", args.text("reply-size", "0"))
	return message
}

func fits(request, reply *primitive.Message, args arguments) bool {
	wanted := fmt.Sprintf("reply to %s.", strings.TrimSpace(request.GetKeys()))
	return strings.HasPrefix(string(reply.Body), wanted) && len(reply.Body) >= args.number("reply-size", 0)
}

func timeout(args arguments) time.Duration {
	return time.Duration(args.number("timeout", 20_000)) * time.Millisecond
}

func askOne(client rocketmq.Producer, args arguments) (fields, error) {
	message := request(args, args.number("number", 0))
	reply, err := client.Request(context.Background(), timeout(args), message)
	if err != nil {
		return nil, err
	}
	return fields{
		"right": fits(message, reply, args), "bodySize": len(reply.Body), "topic": reply.Topic,
		"properties": reply.GetProperties(), "correlationId": message.GetProperty(primitive.PropertyCorrelationID),
		"clientId": message.GetProperty(primitive.PropertyMessageReplyToClient),
	}, nil
}

// askMany has a goroutine for each request that may be under way.
func askMany(client rocketmq.Producer, args arguments) (fields, error) {
	var right, wrong, failed int64
	var all sync.WaitGroup
	window := make(chan struct{}, args.number("in-flight", 100))
	for number := 0; number < args.number("count", 1); number++ {
		window <- struct{}{}
		all.Add(1)
		go func(message *primitive.Message) {
			reply, err := client.Request(context.Background(), timeout(args), message)
			switch {
			case err != nil:
				atomic.AddInt64(&failed, 1)
				event("ask-failed", fields{"key": message.GetKeys(), "error": fields{"message": err.Error()}})
			case fits(message, reply, args):
				atomic.AddInt64(&right, 1)
			default:
				atomic.AddInt64(&wrong, 1)
			}
			<-window
			all.Done()
		}(request(args, number))
	}
	all.Wait()
	return fields{"right": right, "wrong": wrong, "failed": failed, "all": true}, nil
}

// reply answers the requests of a topic, as the Java program Replier does.
func reply(args arguments) error {
	client, err := rocketmq.NewProducer(
		producer.WithNsResolver(args.resolver()),
		producer.WithGroupName(args.text("producer-group", "interop-repliers")),
		producer.WithInstanceName(fmt.Sprint(time.Now().UnixNano())),
		producer.WithRetry(0),
		producer.WithSendMsgTimeout(15*time.Second),
	)
	if err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}
	reader, err := rocketmq.NewPushConsumer(
		consumer.WithNsResolver(args.resolver()),
		consumer.WithGroupName(args["group"]),
		consumer.WithInstance(fmt.Sprint(time.Now().UnixNano())),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
		consumer.WithConsumeMessageBatchMaxSize(1),
	)
	if err != nil {
		return err
	}
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: "*"}
	err = reader.Subscribe(args["topic"], selector, func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			replyTo(client, args, message)
		}
		return consumer.ConsumeSuccess, nil
	})
	if err != nil {
		return err
	}
	if err := reader.Start(); err != nil {
		return err
	}
	event("ready", nil)
	<-stopSignal()
	if err := reader.Shutdown(); err != nil {
		return err
	}
	if err := client.Shutdown(); err != nil {
		return err
	}
	event("done", nil)
	return nil
}

func replyTo(client rocketmq.Producer, args arguments, message *primitive.MessageExt) {
	key := strings.TrimSpace(message.GetKeys())
	if message.GetProperty(primitive.PropertyCorrelationID) == "" {
		return // it only made the topic
	}
	event("asked", fields{"key": key, "properties": message.GetProperties()})
	time.Sleep(time.Duration(args.number("late", 0)) * time.Millisecond)
	size, _ := strconv.Atoi(message.GetProperty("reply-size"))
	body := []byte(fmt.Sprintf("reply to %s.", key))
	for len(body) < size {
		body = append(body, 'x')
	}
	answer, err := consumer.CreateReplyMessage(message, body)
	if err == nil {
		answer.Body = body // which the client takes for properties
		var result *primitive.SendResult
		if result, err = client.SendSync(context.Background(), answer); err == nil {
			event("replied", fields{"key": key, "msgId": result.OffsetMsgID, "queueId": result.MessageQueue.QueueId, "queueOffset": result.QueueOffset})
			return
		}
	}
	event("reply-failed", fields{"key": key, "error": fields{"message": err.Error()}})
}
