#!/usr/bin/env python3
"""The hardware lab: boots a guest with 2 NUMA nodes, 4 NVMe drives (hot-pluggable, a fifth in reserve) and a
virtio balloon, runs one test script in it as root, and obeys what the script prints.

    lab.py TEST.sh [extra qemu arguments]

The guest's root is this machine's root, read-only over 9p, under a writable tmpfs: whatever is built or
installed here runs there at the same path (a JDK, the project's jars, mdadm, nvme). There is no KVM: software emulation, about 10 s to boot,
avx2 but no avx512 or gfni. A line of the test's output that begins so is a command to the lab:

    @@DEL nvN      unplug drive N (the guest's uevents come about 5 s later)     @@ADD nvN   plug it in again once it is out
    @@NEW          plug the fifth drive in, serial SPARE004                     @@BAL MIB   balloon the guest to MIB
    @@QBAL         print the balloon's size and the guest's host RSS            @@STATS     print the guest's memory statistics
    @@QMP JSON     any QMP command                                              @@SH CMD    a command on this machine
    @@CUT          the power goes: the guest ends in the middle of whatever it does, which counts as success

Environment: LAB_HOME (default ~/.cache/arraywright-lab), LAB_TIMEOUT seconds (240), LAB_MEM MiB a node (1024),
LAB_DRIVES where the drives' images are (default LAB_HOME), LAB_DEFLATE_ON_OOM on|off (on), LAB_DRIVE0 a -blockdev for
drive 0 with node-name=f0 (say driver=nbd on an nbdkit with a fault filter). Exit status 0 if the test script's was 0,
else 1.
"""
import json, os, re, socket, subprocess, sys, threading, time

home = os.path.abspath(os.environ.get('LAB_HOME') or os.path.expanduser('~/.cache/arraywright-lab'))
drives = os.environ.get('LAB_DRIVES') or home
mem = int(os.environ.get('LAB_MEM', '1024'))
test = os.path.abspath(sys.argv[1])
vmlinuz = [os.path.join(home, 'kernel/boot', f) for f in os.listdir(os.path.join(home, 'kernel/boot')) if f.startswith('vmlinuz-')][0]
qmp = os.path.join(home, 'qmp-%d.sock' % os.getpid())

args = ['qemu-system-x86_64', '-M', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-m', '%dM' % (2 * mem), '-smp', '2',
        '-object', 'memory-backend-ram,id=m0,size=%dM' % mem, '-object', 'memory-backend-ram,id=m1,size=%dM' % mem,
        '-numa', 'node,nodeid=0,cpus=0,memdev=m0', '-numa', 'node,nodeid=1,cpus=1,memdev=m1', '-numa', 'dist,src=0,dst=1,val=21',
        '-device', 'pxb-pcie,id=px0,bus_nr=32,bus=pcie.0,numa_node=0', '-device', 'pxb-pcie,id=px1,bus_nr=64,bus=pcie.0,numa_node=1',
        '-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off']
for i in range(5):
    args += ['-device', 'pcie-root-port,id=rp%d,bus=px%d,chassis=%d,slot=%d,addr=%d.0' % (i, i % 2, i + 1, i + 1, i + 1)]
    own = os.environ.get('LAB_DRIVE0') if i == 0 else None
    args += ['-blockdev', own or 'driver=file,node-name=f%d,filename=%s/d%d.img' % (i, drives, i)]
for i in range(4):
    args += ['-device', 'nvme,id=nv%d,serial=LAB%04d,drive=f%d,bus=rp%d' % (i, i, i, i)]
args += ['-device', 'virtio-balloon-pci,bus=pcie.0,id=bal0,free-page-reporting=on,deflate-on-oom=' + os.environ.get('LAB_DEFLATE_ON_OOM', 'on'),
         '-fsdev', 'local,id=fs0,path=/,security_model=none,readonly=on,multidevs=remap',
         '-device', 'virtio-9p-pci,bus=pcie.0,fsdev=fs0,mount_tag=host',
         '-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-net', 'none', '-no-reboot',
         '-qmp', 'unix:%s,server=on,wait=off' % qmp, '-kernel', vmlinuz, '-initrd', os.path.join(home, 'initrd.gz'),
         '-append', 'console=ttyS0 panic=-1 quiet mitigations=off init_on_alloc=0 labroot=9p labhome=' + home + ' labtest=' + test] + sys.argv[2:]

start = time.time()
def log(line): print('[%6.2f] %s' % (time.time() - start, line), flush=True)

guest = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
control = socket.socket(socket.AF_UNIX)
for _ in range(200):
    if guest.poll() is not None: sys.exit(guest.stdout.read().decode())
    try: control.connect(qmp); break
    except OSError: time.sleep(0.05)
stream, replies, leaving, arrived = control.makefile('rw'), [], set(), threading.Condition()
stream.readline()

def read_control():
    for line in stream:
        message = json.loads(line)
        if 'event' in message:
            log('QMP-EVENT %s %s' % (message['event'], json.dumps(message.get('data', {}))[:200]))
            with arrived:
                if message['event'] == 'DEVICE_DELETED': leaving.discard(message['data'].get('device'))
                arrived.notify_all()
        else:
            with arrived: replies.append(message); arrived.notify_all()
threading.Thread(target=read_control, daemon=True).start()

def command(execute, **arguments):
    control.sendall((json.dumps({'execute': execute, 'arguments': arguments}) + '\n').encode())
    with arrived:
        if not arrived.wait_for(lambda: replies, 10): return log('QMP %s: no reply' % execute)
        reply = replies.pop(0)
    log('QMP %s %s -> %s' % (execute, arguments, json.dumps(reply)[:400]))
command('qmp_capabilities')

def stop_late():
    time.sleep(float(os.environ.get('LAB_TIMEOUT', '240'))); log('lab: time is up'); guest.kill()
threading.Thread(target=stop_late, daemon=True).start()

status = 1
for raw in guest.stdout:
    line = re.sub(r'[\r\x1b]', '', raw.decode(errors='replace')).rstrip()
    if not line: continue
    log(line)
    word, _, rest = line.partition(' ')
    if word == '@@DEL': leaving.add(rest.split()[0]); command('device_del', id=rest.split()[0])
    elif word == '@@ADD':
        n = int(rest.split()[0][2:])
        with arrived: arrived.wait_for(lambda: 'nv%d' % n not in leaving, 30)
        command('device_add', driver='nvme', id='nv%d' % n, serial='LAB%04d' % n, drive='f%d' % n, bus='rp%d' % n)
    elif word == '@@NEW': command('device_add', driver='nvme', id='nv4', serial='SPARE004', drive='f4', bus='rp4')
    elif word == '@@BAL': command('balloon', value=int(rest.split()[0]) << 20)
    elif word == '@@QBAL':
        command('query-balloon'); log('guest RSS on this machine: ' + [l for l in open('/proc/%d/status' % guest.pid) if l.startswith('VmRSS')][0].strip())
    elif word == '@@STATS':
        command('qom-set', path='/machine/peripheral/bal0', property='guest-stats-polling-interval', value=1); time.sleep(2.5)
        command('qom-get', path='/machine/peripheral/bal0', property='guest-stats')
    elif word == '@@QMP': wish = json.loads(rest); command(wish['execute'], **wish.get('arguments', {}))
    elif word == '@@SH': log('here: ' + subprocess.run(rest, shell=True, capture_output=True, text=True).stdout.strip())
    elif word == '@@CUT': status = 0; guest.kill()
    done = re.match(r'TEST-DONE rc=(\d+)', line)
    if done: status = 0 if done.group(1) == '0' else 1
guest.wait()
if os.path.exists(qmp): os.unlink(qmp)
sys.exit(status)
