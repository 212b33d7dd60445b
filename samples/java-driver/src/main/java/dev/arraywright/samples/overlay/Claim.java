package dev.arraywright.samples.overlay;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Keeps a delta from other openers: in this process by a note in the system properties, which all
 * versions of the driver see, and against other processes by a file lock.
 *
 * <p>The note is looked at before the file is opened, because POSIX drops a process's locks on a
 * file when the process closes any descriptor of it. The same makes a lock that is taken over end
 * with the old version's files; it is taken again by the next {@link #stillHeld}.
 */
final class Claim implements AutoCloseable {
  private static final String NOTE = "dev.arraywright.overlay.open:";

  private final String note;
  private final boolean shared;
  private final AtomicBoolean closed = new AtomicBoolean();
  private RandomAccessFile file;
  private FileLock lock;

  private Claim(String note, boolean shared) {
    this.note = note;
    this.shared = shared;
  }

  /** The claim within this process; null if another opener stands against it. */
  static Claim inProcess(Path delta, boolean shared, boolean takeOver) throws IOException {
    Object key = Files.readAttributes(delta, BasicFileAttributes.class).fileKey();
    String note = NOTE + (key == null ? delta.toRealPath() : key);
    String kind = shared ? "read" : "write";
    AtomicBoolean granted = new AtomicBoolean();
    System.getProperties()
        .compute(
            note,
            (name, present) -> {
              String[] words =
                  present == null ? new String[] {kind, "0"} : ((String) present).split(" ");
              boolean fits = present == null || takeOver || (shared && words[0].equals("read"));
              granted.set(fits);
              return fits ? words[0] + " " + (Integer.parseInt(words[1]) + 1) : present;
            });
    return granted.get() ? new Claim(note, shared) : null;
  }

  /** Locks the file, unless another opener of this process, which the note allows, has done so. */
  synchronized boolean lock(RandomAccessFile locked) throws IOException {
    file = locked;
    return stillHeld();
  }

  /** False if another process has the file; locks it if who had it before is gone. */
  synchronized boolean stillHeld() throws IOException {
    if (lock != null) {
      return true;
    }
    try {
      lock = file.getChannel().tryLock(0, Long.MAX_VALUE, shared);
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return true;
    }
  }

  /** Gives up the note; the lock ends with the file, which is closed before. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      System.getProperties()
          .compute(
              note,
              (name, present) -> {
                String[] words = ((String) present).split(" ");
                int left = Integer.parseInt(words[1]) - 1;
                return left == 0 ? null : words[0] + " " + left;
              });
    }
  }
}
