package dev.arraywright.samples.embedded;

import dev.arraywright.kernel.ArrayStatus;
import java.util.concurrent.Flow;

/** Prints an array's health as it changes. */
final class Watcher implements Flow.Subscriber<ArrayStatus> {
  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    subscription.request(Long.MAX_VALUE);
  }

  @Override
  public void onNext(ArrayStatus status) {
    System.out.println(status.getName() + ": " + status.getHealth());
  }

  @Override
  public void onError(Throwable error) {
    System.err.println("watching ended: " + error);
  }

  @Override
  public void onComplete() {}
}
