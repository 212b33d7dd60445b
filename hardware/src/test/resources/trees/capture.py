#!/usr/bin/env python3
"""Prints what this machine's /sys and /proc show of its devices, in the form that TreeFixture reads:

    capture.py > firecracker/devices.tree
    capture.py CLASS/DEVICE...      only these, such as class/block/vda class/net/eth0

In the lab guest: let the test script be `python3 .../capture.py`, and take the lines that begin with sys/ or proc/.
Empty loop and RAM devices are left out, as they are many and all alike.
"""
import base64, os, sys

LISTS = ['bus/pci/devices', 'class/nvme', 'class/block', 'class/net', 'class/accel']
FILES = '''uevent size ro removable partition dev hidden serial wwid nsid class vendor device numa_node model rev
firmware_rev transport address dev_port type state diskseq queue/logical_block_size queue/physical_block_size
queue/rotational loop/backing_file dm/name dm/uuid md/level md/uuid'''.split()
UNDER_DEVICE = 'model vendor rev type wwid vpd_pg80 serial firmware_rev transport'.split()
made = set()


def entry(line):
    if line not in made:
        made.add(line)
        print(line)


def content(data):
    text = data.decode('utf-8', 'replace')
    if '\ufffd' in text or '\0' in text or '\r' in text:
        return 'base64:' + base64.b64encode(data).decode()
    return text.replace('\\', '\\\\').replace('\n', '\\n').replace('\t', '\\t')


def file(path):
    try:
        if os.path.isfile(path):
            with open(path, 'rb') as f:
                entry('%s = %s' % (path[1:], content(f.read(65536))))
    except OSError:
        pass  # some attributes cannot be read


def link(path):
    if os.path.islink(path):
        entry('%s -> %s' % (path[1:], os.readlink(path)))


def device(path):
    for name in FILES:
        file('%s/%s' % (path, name))
    for name in ['subsystem', 'driver', 'device']:
        link('%s/%s' % (path, name))
    for name in ['holders', 'slaves']:
        if os.path.isdir('%s/%s' % (path, name)):
            for other in sorted(os.listdir('%s/%s' % (path, name))):
                link('%s/%s/%s' % (path, name, other))
    below = os.path.join(path, 'device')
    if os.path.islink(below):
        real = os.path.realpath(below)
        entry(real[1:] + '/')
        for name in UNDER_DEVICE:
            file('%s/%s' % (real, name))


def dull(path):
    name = os.path.basename(path)
    if not name.startswith(('loop', 'ram')):
        return False
    with open(path + '/size') as size:
        return size.read().strip() == '0' or name.startswith('ram')


wanted = sys.argv[1:]
for listing in LISTS:
    base = '/sys/' + listing
    for name in sorted(os.listdir(base)) if os.path.isdir(base) else []:
        path = '%s/%s' % (base, name)
        if wanted and '%s/%s' % (listing, name) not in wanted or listing == 'class/block' and dull(path):
            continue
        link(path)
        if listing == 'class/block':
            link('/sys/block/' + name)
        device(os.path.realpath(path))
for path in ['/proc/self/mountinfo', '/proc/swaps']:
    file(path)
