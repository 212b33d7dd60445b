package dev.arraywright.hardware.tree

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldStartWith
import io.kotest.property.Arb
import io.kotest.property.arbitrary.choice
import io.kotest.property.arbitrary.element
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.map
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll

class CgroupMembershipSpec : StringSpec({
    "memberships are of both versions, with colons in controllers' names and paths" {
        CgroupMembershipParser.parse("4:cpu,cpuacct:/a:b\n1:name=systemd:/\n0::/x y\n") shouldBe
            listOf(
                CgroupMembership(4, listOf("cpu", "cpuacct"), "/a:b"),
                CgroupMembership(1, listOf("name=systemd"), "/"),
                CgroupMembership(0, emptyList(), "/x y"),
            )
    }

    "version 2's is the one of hierarchy 0 without controllers" {
        CgroupMembershipParser.parse("0::/\n1::/\n0:memory:/\n1:memory:/").map { it.isUnified } shouldBe
            listOf(true, false, false, false)
    }

    "a path is what its bytes say: blanks at its end, line ends of other systems, and what left the namespace" {
        CgroupMembershipParser.parse("2:pids:/a\\040b\n0::/../x \n1:cpu:/a\rb").map { it.path } shouldBe
            listOf("/a\\040b", "/../x ", "/a\rb")
    }

    "lines of another form are left out, and those beside them are not" {
        for (line in listOf("", "bad", ":::", "9:x", "9:x:y", "9:x:", "-1:x:/", "+1:x:/", "x:y:/", "٣:x:/", "1 :x:/") +
            "99999999999:x:/") {
            withClue(line) {
                CgroupMembershipParser.parse("1:cpu:/1\n$line\n0::/2\n").map { it.path } shouldBe listOf("/1", "/2")
            }
        }
    }

    "whatever stands in it, what is read of it is a membership" {
        val pieces =
            listOf(":", "::", "\n", ",", "/", "0", "-1", "99999999999", "name=", "memory", " ", "\r", "\u0000", "")
        val texts = Arb.list(Arb.element(pieces), 0..40).map { it.joinToString("") }
        val files = listOf("proc/self/cgroup", "proc/1/cgroup")
        val trees = listOf("server", "kvm", "firecracker", "container", "podman", "qemu")
        checkAll(5_000, Arb.choice(Arb.string(0..200), texts, damaged(trees, files, pieces))) { text ->
            for (membership in CgroupMembershipParser.parse(text)) {
                membership.hierarchy shouldBeGreaterThanOrEqual 0
                membership.path shouldStartWith "/"
            }
        }
    }
})
