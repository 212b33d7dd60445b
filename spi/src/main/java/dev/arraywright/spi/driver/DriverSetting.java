package dev.arraywright.spi.driver;

import java.lang.annotation.Documented;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Declares one of a driver's own settings. The configuration is checked against it before the
 * driver sees it: an unknown name, a value of another type and a missing required one are refused.
 */
@Documented
@Target({})
@Retention(RetentionPolicy.RUNTIME)
public @interface DriverSetting {
  /** As in the configuration: letters, digits, {@code - . _}. */
  String name();

  /** One line for an operator. */
  String description();

  /** What its value looks like. */
  Type type() default Type.TEXT;

  /** Its value where the configuration has none; empty: it is absent then. */
  String defaultValue() default "";

  /** Whether the driver cannot work without it. */
  boolean required() default false;

  /** The values that may be chosen from; empty: any of the type. */
  String[] choices() default {};

  /** Forms of a value; the driver gets the text. */
  enum Type {
    /** Any text. */
    TEXT,
    /** A decimal whole number. */
    INTEGER,
    /** {@code true} or {@code false}. */
    BOOLEAN,
    /** A size such as {@code 64MiB}. */
    SIZE,
    /** A duration such as {@code 30s}. */
    DURATION
  }
}
