package main

import (
	"fmt"
	"hash/crc32"
	"math/rand"
	"strconv"
	"strings"

	"github.com/apache/rocketmq-client-go/v2/primitive"
)

const unicodeText = "grüße-汉字"

func buildMessage(args arguments, number int) *primitive.Message {
	body := make([]byte, args.number("body", 100))
	if args["random-body"] == "true" {
		rand.New(rand.NewSource(int64(number))).Read(body)
	} else {
		pattern := fmt.Sprintf("message %d ", number)
		for i := range body {
			body[i] = pattern[i%len(pattern)]
		}
	}
	message := primitive.NewMessage(args["topic"], body)
	if tags := args["tags"]; tags != "" {
		choices := strings.Split(tags, ",")
		message.WithTag(choices[number%len(choices)])
	}
	message.WithKeys([]string{fmt.Sprintf("%s-%d", args.text("prefix", "k"), number)})
	message.WithProperty("crc", checksum(body))
	message.WithProperty("number", strconv.Itoa(number))
	message.WithProperty("unicode", unicodeText)
	if shards := args.number("shards", 0); shards > 0 {
		shard := strconv.Itoa(number % shards)
		message.WithProperty("shard", shard)
		message.WithShardingKey(shard)
	}
	if level := args.number("delay-level", 0); level > 0 {
		message.WithDelayTimeLevel(level)
	}
	return message
}

func checksum(body []byte) string {
	return strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 16)
}

func describe(message *primitive.MessageExt) fields {
	intact := message.GetProperty("crc") == checksum(message.Body) && message.GetProperty("unicode") == unicodeText
	return fields{
		"key": strings.TrimSpace(message.GetKeys()), "topic": message.Topic, "tag": message.GetTags(),
		"msgId": message.MsgId, "queueId": message.Queue.QueueId, "queueOffset": message.QueueOffset,
		"physicalOffset": message.CommitLogOffset, "reconsumeTimes": message.ReconsumeTimes, "intact": intact,
		"bodySize": len(message.Body), "storeSize": message.StoreSize, "sysFlag": message.SysFlag,
		"bornTime": message.BornTimestamp, "storeTime": message.StoreTimestamp, "storeHost": message.StoreHost,
		"properties": message.GetProperties(),
	}
}
