using System.Net;
using System.Net.Sockets;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using static PacsStegoGateway.Tests.Network.TestObjects;

namespace PacsStegoGateway.Tests.Network;

/// <summary>A whole session, broken off after each of its PDUs in turn; and limits, to the byte.</summary>
public sealed class BrokenSessionTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_requestor_that_goes_after_any_pdu_leaves_nothing_half_done(bool aborts)
    {
        byte[][] session =
        [
            ScriptedPeer.Bytes(ScriptedPeer.Request()),
            Pdu(1, true, true, Echo(1).ToArray()),
            Pdu(3, true, true, Store(2).ToArray()),
            Pdu(3, false, false, CtBytes(rows: 2)[..1000]),
            Pdu(3, false, true, CtBytes(rows: 2)[1000..]),
            Pdu(5, true, false, Find(3).ToArray()[..10]),
            Pdu(5, true, true, Find(3).ToArray()[10..]),
            Pdu(5, false, true, DataSetWriter.ToArray(StudyQuery(), TransferSyntax.ImplicitVRLittleEndian)),
            Pdu(5, true, true, CommandSet.CancelOf(3).ToArray()),
        ];
        for (int count = 0; count <= session.Length; count++)
        {
            var provider = new RecordingProvider { OnFind = static (_, ct) => Slow(ct) };
            await using var acceptor = new TestAcceptor(provider);
            using (ScriptedPeer peer = await ScriptedPeer.ConnectAsync(acceptor.Port))
            {
                for (int i = 0; i < count; i++)
                {
                    await peer.SendAsync(session[i]);
                }

                if (aborts)
                {
                    await peer.SendAsync(new Abort(Abort.ServiceUser, 0));
                    while (await peer.ReadAsync() is PDataTf or AssociateAc)
                    {
                        // Answers that were under way.
                    }
                }
            }

            AssociationEnd end = await provider.Ended;
            end.Kind.ShouldBeOneOf(aborts ? [AssociationEndKind.AbortedByPeer] : [AssociationEndKind.ConnectionLost, AssociationEndKind.NothingSaid]);

            // Whether the whole object was taken before its sender went is a matter of time; half of one never is.
            provider.Stored.Count.ShouldBeLessThanOrEqualTo(count >= 5 ? 1 : 0, $"after {count} PDUs");
            provider.Stored.ShouldAllBe(static s => s.DataSet.SequenceEqual(CtBytes(InstanceUID, 2)));
            provider.Faults.Where(static f => f.Operation is not "C-STORE").ShouldBeEmpty();
        }

        static async IAsyncEnumerable<FindResponse> Slow([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
        {
            await Task.Delay(Timeout.Infinite, ct);
            yield break;
        }
    }

    [Fact]
    public async Task An_acceptor_that_aborts_after_any_pdu_is_told_apart_from_one_that_answers()
    {
        for (int before = 1; before <= 6; before++)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var address = new PeerAddress("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, "ARCHIVE", "PSG");
            Task<string> work = WorkAsync(address);
            using var peer = new ScriptedPeer(await listener.AcceptSocketAsync(Ct));
            for (int read = 1; read <= before; read++)
            {
                Pdu? pdu = await peer.ReadAsync();
                if (read == before)
                {
                    await peer.SendAsync(new Abort(Abort.ServiceProvider, (byte)AbortReason.UnexpectedPdu));
                }
                else if (pdu is AssociateRq)
                {
                    await peer.SendAsync(new AssociateAc
                    {
                        CalledAETitle = "ARCHIVE",
                        CallingAETitle = "PSG",
                        PresentationContexts = [new AnsweredContext(1, PresentationContextResult.Acceptance, TransferSyntax.ExplicitVRLittleEndian.UID)],
                        UserInformation = new UserInformation { MaxPduLength = 4096, ImplementationClassUID = "1.2" },
                    });
                }
            }

            (await work).ShouldBe("Aborted True", $"abort after {before} PDUs");
        }

        static async Task<string> WorkAsync(PeerAddress address)
        {
            try
            {
                await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(address,
                    [new ProposedContext(SopClasses.CTImageStorage, TransferSyntax.ExplicitVRLittleEndian.UID)], AssociationLimits.Default, Ct);
                StoreResponse response = await association.StoreAsync(SopClasses.CTImageStorage, InstanceUID, TransferSyntax.ExplicitVRLittleEndian.UID,
                    ByteSource.Of(CtBytes(rows: 32)), null, Ct);
                return $"answered {response.Status}";
            }
            catch (AssociationException e)
            {
                return $"{e.Failure} {e.IsTransient}";
            }
        }
    }

    [Theory]
    [InlineData(65_536, true)]
    [InlineData(65_538, false)]
    public async Task The_cap_of_a_command_set_holds_to_the_byte(int length, bool isTaken)
    {
        await using var acceptor = new TestAcceptor(new RecordingProvider());
        using ScriptedPeer peer = await ScriptedPeer.AssociateAsync(acceptor.Port);
        CommandSet command = Echo(1);
        command.SetText(Tags.ErrorComment, new string('x', length - command.ToArray().Length - 8));
        byte[] bytes = command.ToArray();
        bytes.Length.ShouldBe(length);
        await peer.SendFragmentAsync(1, true, false, bytes[..60_000]);
        await peer.SendFragmentAsync(1, true, true, bytes[60_000..]);
        if (isTaken)
        {
            (await peer.ReadStatusAsync()).ShouldBe(DimseStatus.Success);
            await peer.ReleaseAsync();
        }
        else
        {
            await peer.ExpectAbortAsync(Abort.ServiceProvider, AbortReason.NotSpecified);
        }
    }

    private static byte[] Pdu(byte contextID, bool isCommand, bool isLast, byte[] fragment)
    {
        byte[] pdu = new byte[PduWriter.PDataHeaderLength + fragment.Length];
        PduWriter.WritePDataHeader(pdu, contextID, isCommand, isLast, fragment.Length);
        fragment.CopyTo(pdu, PduWriter.PDataHeaderLength);
        return pdu;
    }
}
