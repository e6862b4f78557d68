//go:build !tls

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

var stateNames = map[primitive.LocalTransactionState]string{
	primitive.CommitMessageState:   "COMMIT_MESSAGE",
	primitive.RollbackMessageState: "ROLLBACK_MESSAGE",
	primitive.UnknowState:          "UNKNOW",
}

// transactions sends what the commands on stdin say, as the Java program of this name does. Its script has no "throw":
// a listener that panics ends the program or, in a check, the client's only goroutine for checks.
type transactions struct {
	args          arguments
	plain         rocketmq.Producer
	transactional rocketmq.TransactionProducer
}

func transact(args arguments) error {
	work := &transactions{args: args}
	if err := work.start(); err != nil {
		return err
	}
	event("ready", nil)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() && lines.Text() != "stop" {
		facts, err := work.run(strings.Fields(lines.Text()))
		if err != nil {
			event("refused", fields{"question": lines.Text(), "error": fields{"type": "error", "message": err.Error()}})
			continue
		}
		event("answer", fields{"question": lines.Text(), "result": facts})
	}
	if err := work.plain.Shutdown(); err != nil {
		return err
	}
	if err := work.transactional.Shutdown(); err != nil {
		return err
	}
	event("done", nil)
	return nil
}

// The transactional producer of this client sends in transactions only: plain messages have a producer of their own.
func (work *transactions) start() (err error) {
	group, now := work.args.text("group", "interop-transactions"), fmt.Sprint(time.Now().UnixNano())
	options := func(group string) []producer.Option {
		return []producer.Option{
			producer.WithNsResolver(work.args.resolver()), producer.WithGroupName(group), producer.WithRetry(0),
			producer.WithSendMsgTimeout(30 * time.Second), producer.WithInstanceName("transact-" + group + now),
		}
	}
	if work.transactional, err = rocketmq.NewTransactionProducer(work, options(group)...); err != nil {
		return err
	}
	if work.plain, err = rocketmq.NewProducer(options(group + "-plain")...); err != nil {
		return err
	}
	if err := work.transactional.Start(); err != nil {
		return err
	}
	return work.plain.Start()
}

func (work *transactions) run(words []string) (fields, error) {
	args := arguments{}
	for i := 1; i+1 < len(words); i += 2 {
		args[words[i][2:]] = words[i+1]
	}
	message := buildMessage(args, args.number("number", 0))
	switch words[0] {
	case "plain":
		result, err := work.plain.SendSync(context.Background(), message)
		if err != nil {
			return nil, err
		}
		return facts(message, result), nil
	case "send":
		message.WithProperty("local", args.text("local", "commit"))
		message.WithProperty("checks", args.text("checks", "unknown"))
		if seconds, given := args["immunity"]; given {
			message.WithProperty(primitive.PropertyCheckImmunityTimeInSeconds, seconds)
		}
		result, err := work.transactional.SendMessageInTransaction(context.Background(), message)
		if err != nil {
			return nil, err
		}
		sent := facts(message, result.SendResult)
		sent["state"] = stateNames[result.State]
		return sent, nil
	}
	return nil, fmt.Errorf("command %s", words[0])
}

func facts(message *primitive.Message, result *primitive.SendResult) fields {
	status := "SEND_OK"
	if result.Status != primitive.SendOK {
		status = fmt.Sprintf("SEND_STATUS_%d", result.Status)
	}
	return fields{
		"key": strings.TrimSpace(message.GetKeys()), "msgId": result.MsgID, "offsetMsgId": result.OffsetMsgID,
		"status": status, "queueId": result.MessageQueue.QueueId, "queueOffset": result.QueueOffset,
		"transactionId": result.TransactionID, "recallHandle": nil,
	}
}

// ExecuteLocalTransaction does what the message says: the test knows the outcome.
func (work *transactions) ExecuteLocalTransaction(message *primitive.Message) primitive.LocalTransactionState {
	event("local", fields{"key": strings.TrimSpace(message.GetKeys()), "transactionId": message.TransactionId})
	return transactionState(message.GetProperty("local"))
}

// CheckLocalTransaction answers the nth check by the nth word of the script, which travels in the message.
func (work *transactions) CheckLocalTransaction(message *primitive.MessageExt) primitive.LocalTransactionState {
	check, err := strconv.Atoi(message.GetProperty("TRANSACTION_CHECK_TIMES"))
	if err != nil {
		check = 1
	}
	script := strings.Split(message.GetProperty("checks"), ",")
	if check > len(script) {
		check = len(script)
	}
	answer := script[check-1]
	event("check", fields{
		"at": time.Now().UnixMilli(), "answer": answer, "transactionId": message.TransactionId,
		"message": describe(message),
	})
	return transactionState(answer)
}

func transactionState(word string) primitive.LocalTransactionState {
	switch word {
	case "commit":
		return primitive.CommitMessageState
	case "rollback":
		return primitive.RollbackMessageState
	case "unknown":
		return primitive.UnknowState
	case "halt":
		os.Exit(0)
	}
	panic("state " + word)
}
