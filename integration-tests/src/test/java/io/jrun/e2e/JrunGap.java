package io.jrun.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/// What other runtimes do and jrun refuses by name so far; see docs/conformance.md.
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(JrunGap.Condition.class)
@interface JrunGap {
  String value();

  /// Looks at the runtime's name.
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      String gap = context.getRequiredTestMethod().getAnnotation(JrunGap.class).value();
      return RuntimeBinary.underTest().isJrun()
          ? ConditionEvaluationResult.disabled("not implemented yet: " + gap)
          : ConditionEvaluationResult.enabled("the runtime is not jrun");
    }
  }
}
