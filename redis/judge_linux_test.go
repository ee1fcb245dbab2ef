package okredis_test

import (
	"encoding/binary"
	"net"
	"syscall"
	"testing"
	"time"
)

// A judge is a server that logs when each datagram arrived, by the clock of the
// kernel: whether this process had a processor then does not matter.
type judge struct {
	t     testing.TB
	addr  string
	start time.Time
	conn  *net.UDPConn
	log   []time.Duration // since start
	done  chan struct{}
}

func startJudge(t testing.TB) *judge {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
		if syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, 16<<20) != nil {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<20)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	j := &judge{t: t, addr: conn.LocalAddr().String(), start: time.Now(), conn: conn, done: make(chan struct{})}
	go j.read()
	return j
}

func (j *judge) read() {
	defer close(j.done)
	data, control := make([]byte, 16), make([]byte, 128)
	for {
		_, n, _, _, err := j.conn.ReadMsgUDP(data, control)
		if err != nil {
			return
		}
		messages, err := syscall.ParseSocketControlMessage(control[:n])
		if err != nil || len(messages) != 1 || len(messages[0].Data) < 16 {
			j.t.Errorf("a datagram without a time: %v", err)
			return
		}
		sec := binary.NativeEndian.Uint64(messages[0].Data)
		nsec := binary.NativeEndian.Uint64(messages[0].Data[8:])
		j.log = append(j.log, time.Unix(int64(sec), int64(nsec)).Sub(j.start))
	}
}

// stop returns the log.
func (j *judge) stop() []time.Duration {
	time.Sleep(100 * time.Millisecond)
	j.conn.Close()
	<-j.done
	return j.log
}
