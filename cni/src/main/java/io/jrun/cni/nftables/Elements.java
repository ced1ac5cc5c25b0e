package io.jrun.cni.nftables;

import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.Answer;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.Request;
import io.jrun.kernel.Kernel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Elements of sets and maps, each change one transaction, by messages of their own: forty times as
/// fast as through libnftables, which first asks for all tables, and with many sets takes longer
/// the more there are.
///
/// ```
///   BATCH_BEGIN{res_id 10}  NEWSETELEM{table, set, {key, value, comment}} …  BATCH_END
/// ```
public final class Elements {
  private static final int NFPROTO_INET = 1;
  private static final int NFPROTO_BRIDGE = 7;
  private static final int SUBSYSTEM = 10;
  private static final int BATCH_BEGIN = 16;
  private static final int BATCH_END = 17;
  private static final int NEWSETELEM = SUBSYSTEM << 8 | 12;
  private static final int DELSETELEM = SUBSYSTEM << 8 | 14;
  private static final int NFT_GOTO = -4;

  private final Kernel kernel;
  private final String table;
  private @Nullable NetlinkSocket socket;

  public Elements(Kernel kernel, String table) {
    this.kernel = kernel;
    this.table = table;
  }

  private static Request control(int type) {
    return new Request(type, 0, "nftables batch").u8(0).u8(0).u8(0).u8(SUBSYSTEM);
  }

  private Request request(int type, int flags, int family, String set, String text) {
    return new Request(type, flags, text).u8(family).u8(0).u16(0).string(1, table).string(2, set);
  }

  /// The socket stays open: when one is closed, the kernel waits for all that was deleted before.
  ///
  /// @return what became of each
  private synchronized List<Answer> perform(List<Request> requests) {
    List<Request> batch = new ArrayList<>();
    batch.add(control(BATCH_BEGIN));
    batch.addAll(requests);
    batch.add(control(BATCH_END));
    if (socket == null) socket = NetlinkSocket.open(kernel, NetlinkSocket.Protocol.NETFILTER);
    return socket.exchange(batch, requests.size()).subList(1, requests.size() + 1);
  }

  /// A jump to that chain for what comes from the address, in a map of the family inet.
  Answer addJump(String map, IpAddress address, String chain, String comment) {
    byte[] text = comment.getBytes(StandardCharsets.UTF_8);
    byte[] userdata = new byte[text.length + 3]; // type 0 (comment), length, the text with its NUL
    userdata[1] = (byte) (text.length + 1);
    System.arraycopy(text, 0, userdata, 2, text.length);
    String says = "NFT_MSG_NEWSETELEM " + map + " " + address;
    Request request =
        request(NEWSETELEM, Request.NLM_F_CREATE, NFPROTO_INET, map, says)
            .nested(
                3,
                list ->
                    list.nested(
                        1,
                        element ->
                            element
                                .nested(1, key -> key.attribute(1, address.bytes()))
                                .nested(
                                    2,
                                    data ->
                                        data.nested(
                                            2,
                                            verdict ->
                                                verdict.u32BigEndian(1, NFT_GOTO).string(2, chain)))
                                .attribute(6, userdata)));
    return perform(List.of(request)).getFirst();
  }

  /// Takes what is mapped for an address out of a map of the family inet.
  Answer deleteJump(String map, IpAddress address) {
    SetKey key = SetKey.of(SetKey.address(address));
    return perform(List.of(request(DELSETELEM, 0, new SetElement("inet", map, key, null))))
        .getFirst();
  }

  /// Adds all of the elements or none; what is there already is as it should be.
  public List<Answer> add(List<SetElement> elements) {
    return perform(
        elements.stream().map(e -> request(NEWSETELEM, Request.NLM_F_CREATE, e)).toList());
  }

  /// Deletes all of the elements or none.
  public List<Answer> delete(List<SetElement> elements) {
    return perform(elements.stream().map(e -> request(DELSETELEM, 0, e)).toList());
  }

  private Request request(int type, int flags, SetElement element) {
    int family = element.family().equals("bridge") ? NFPROTO_BRIDGE : NFPROTO_INET;
    String verb = type == NEWSETELEM ? "NFT_MSG_NEWSETELEM " : "NFT_MSG_DELSETELEM ";
    String says = verb + element.set() + " " + element.json().toText();
    SetKey value = element.value();
    return request(type, flags, family, element.set(), says)
        .nested(
            3,
            list ->
                list.nested(
                    1,
                    one -> {
                      one.nested(1, key -> key.attribute(1, element.key().bytes()));
                      if (value != null) one.nested(2, data -> data.attribute(1, value.bytes()));
                    }));
  }
}
