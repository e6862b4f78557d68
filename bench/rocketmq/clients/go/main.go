// Sends synchronously from many goroutines with the stock client. Arguments: name server, topic, goroutines, body
// bytes. For each line "RUN_IN MEASURED" (seconds) on stdin it sends that long, prints "measuring" when the run-in is
// over and one JSON line at the end; it ends with its input. All goroutines share one producer.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

type lane struct {
	nanos      []int64
	failed     int
	firstError string
}

type bench struct {
	client     rocketmq.Producer
	topic      string
	goroutines int
	body       []byte
}

func main() {
	rlog.SetLogLevel("error")
	goroutines, bodyBytes := number(os.Args[3]), number(os.Args[4])
	client, err := rocketmq.NewProducer(
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{os.Args[1]})),
		producer.WithGroupName("ringmq_bench_go"),
		producer.WithRetry(0),
	)
	check(err)
	check(client.Start())
	work := &bench{client, os.Args[2], goroutines, bytes.Repeat([]byte{'x'}, bodyBytes)}
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var runIn, measured float64
		_, err := fmt.Sscan(lines.Text(), &runIn, &measured)
		check(err)
		work.run(runIn, measured)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (work *bench) run(runIn, measured float64) {
	from := time.Now().Add(time.Duration(runIn * float64(time.Second)))
	to := from.Add(time.Duration(measured * float64(time.Second)))
	lanes := make([]lane, work.goroutines)
	var all sync.WaitGroup
	for index := range lanes {
		all.Add(1)
		go func(one *lane) {
			defer all.Done()
			work.send(one, from, to)
		}(&lanes[index])
	}
	time.Sleep(time.Until(from))
	fmt.Println("measuring")
	all.Wait()
	report(lanes, measured)
}

func (work *bench) send(one *lane, from, to time.Time) {
	for start := time.Now(); start.Before(to); start = time.Now() {
		message := primitive.NewMessage(work.topic, work.body).WithTag("TagA")
		result, err := work.client.SendSync(context.Background(), message)
		end := time.Now()
		if err != nil || result.Status != primitive.SendOK {
			one.failed++
			if err != nil && one.firstError == "" {
				one.firstError = err.Error()
			}
		} else if !start.Before(from) && !end.After(to) {
			one.nanos = append(one.nanos, int64(end.Sub(start)))
		}
	}
}

func report(lanes []lane, seconds float64) {
	sorted := []int64{}
	failed, firstError := 0, ""
	for _, one := range lanes {
		sorted = append(sorted, one.nanos...)
		failed += one.failed
		if firstError == "" {
			firstError = one.firstError
		}
	}
	sort.Slice(sorted, func(left, right int) bool { return sorted[left] < sorted[right] })
	micros := func(fraction float64) float64 {
		if len(sorted) == 0 {
			return 0
		}
		index := int(math.Ceil(float64(len(sorted))*fraction)) - 1
		return float64(sorted[max(0, index)]/100) / 10
	}
	line, err := json.Marshal(map[string]interface{}{
		"messages": len(sorted), "seconds": seconds, "rate": math.Round(float64(len(sorted)) / seconds),
		"p50": micros(0.5), "p99": micros(0.99), "p999": micros(0.999), "max": micros(1),
		"errors": failed, "firstError": firstError,
	})
	check(err)
	fmt.Println(string(line))
}

func max(left, right int) int {
	if left > right {
		return left
	}
	return right
}
