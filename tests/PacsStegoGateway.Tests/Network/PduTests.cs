using System.Buffers;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Network;

public sealed class PduTests
{
    /// <summary>What DCMTK 3.6.7 <c>echoscu -aet MODALITY1 -aec GATEWAY</c> sends.</summary>
    private const string EchoscuAssociateRq =
        "01 00 000000cd" +                                                          // A-ASSOCIATE-RQ, 205 bytes follow
        "0001 0000" +                                                               // Protocol-version 1
        "47415445574159202020202020202020" +                                        // Called-AE-title "GATEWAY"
        "4d4f44414c4954593120202020202020" +                                        // Calling-AE-title "MODALITY1"
        "0000000000000000000000000000000000000000000000000000000000000000" +        // reserved
        "10 00 0015 312e322e3834302e31303030382e332e312e312e31" +                   // application context 1.2.840.10008.3.1.1.1
        "20 00 002e 01 00 ff 00" +                                                  // presentation context 1
        "30 00 0011 312e322e3834302e31303030382e312e31" +                           //   abstract syntax 1.2.840.10008.1.1
        "40 00 0011 312e322e3834302e31303030382e312e32" +                           //   transfer syntax 1.2.840.10008.1.2
        "50 00 003a" +                                                              // user information
        "51 00 0004 00004000" +                                                     //   maximum length 16384
        "52 00 001b 312e322e3237362e302e373233303031302e332e302e332e362e37" +       //   implementation class 1.2.276.0.7230010.3.0.3.6.7
        "55 00 000f 4f464649535f44434d544b5f333637";                                //   implementation version OFFIS_DCMTK_367

    [Fact]
    public void The_request_of_echoscu_is_understood_field_by_field()
    {
        AssociateRq rq = Read(Hex(EchoscuAssociateRq)).ShouldBeOfType<AssociateRq>();

        rq.ProtocolVersion.ShouldBe((ushort)1);
        rq.CalledAETitle.ShouldBe("GATEWAY");
        rq.CallingAETitle.ShouldBe("MODALITY1");
        rq.ApplicationContextName.ShouldBe("1.2.840.10008.3.1.1.1");
        ProposedContext context = rq.PresentationContexts.ShouldHaveSingleItem();
        context.ID.ShouldBe((byte)1);
        context.AbstractSyntax.ShouldBe(SopClasses.Verification);
        context.TransferSyntaxes.ShouldBe(["1.2.840.10008.1.2"]);
        rq.UserInformation.MaxPduLength.ShouldBe(16384u);
        rq.UserInformation.ImplementationClassUID.ShouldBe("1.2.276.0.7230010.3.0.3.6.7");
        rq.UserInformation.ImplementationVersionName.ShouldBe("OFFIS_DCMTK_367");
    }

    [Fact]
    public void Writing_it_again_differs_only_in_a_reserved_byte()
    {
        byte[] golden = Hex(EchoscuAssociateRq);
        byte[] written = ScriptedPeer.Bytes(Read(golden));
        golden[74 + 25 + 6] = 0; // DCMTK sends FFH in byte 7 of a proposed context, reserved in a request
        written.ShouldBe(golden);
    }

    [Theory]
    [InlineData("03 00 00000004 00 01 01 07", "AssociateRj { Result = 1, Source = 1, Reason = 7 }")]
    [InlineData("05 00 00000004 00000000", "ReleaseRq { }")]
    [InlineData("06 00 00000004 00000000", "ReleaseRp { }")]
    [InlineData("07 00 00000004 00 00 02 06", "Abort { Source = 2, Reason = 6 }")]
    public void Short_pdus_are_read_and_written(string hex, string expected)
    {
        Pdu pdu = Read(Hex(hex));
        pdu.ToString().ShouldBe(expected);
        ScriptedPeer.Bytes(pdu).ShouldBe(Hex(hex));
    }

    [Fact]
    public void A_data_pdu_carries_several_values()
    {
        byte[] golden = Hex("04 00 00000014" + // P-DATA-TF, 20 bytes follow
            "00000005 03 03 aabbcc" +          // context 3, command, last, 3 bytes
            "00000004 05 00 0102" +            // context 5, data set, not last, 2 bytes
            "");
        golden[5] = (byte)(golden.Length - 6);
        ReadOnlySequence<byte> items = Read(golden).ShouldBeOfType<PDataTf>().Items;

        PresentationDataValue.TryTake(ref items, out PresentationDataValue first).ShouldBeTrue();
        (first.ContextID, first.IsCommand, first.IsLast, first.Fragment.Length).ShouldBe(((byte)3, true, true, 3L));
        PresentationDataValue.TryTake(ref items, out PresentationDataValue second).ShouldBeTrue();
        (second.ContextID, second.IsCommand, second.IsLast, second.Fragment.Length).ShouldBe(((byte)5, false, false, 2L));
        PresentationDataValue.TryTake(ref items, out _).ShouldBeFalse();
    }

    [Fact]
    public void Associate_pdus_with_everything_come_back_as_they_were()
    {
        AssociateRq rq = ScriptedPeer.Request() with
        {
            UserInformation = new UserInformation
            {
                MaxPduLength = 0,
                ImplementationClassUID = "1.2.3",
                ImplementationVersionName = "PEER",
                RoleSelections = [new RoleSelection(SopClasses.CTImageStorage, true, true), new RoleSelection("1.2", false, true)],
                AsynchronousOperationsWindow = new AsynchronousOperationsWindow(0, 65_535),
                ExtendedNegotiations = [new ExtendedNegotiation(SopClasses.StudyRootFind, new byte[] { 1, 0, 1 })],
                CommonExtendedNegotiations = [new CommonExtendedNegotiation("1.2.3.4", "1.2.840.10008.4.2", [SopClasses.CTImageStorage, "1.2"])],
                UserIdentityResponse = "ticket"u8.ToArray(),
                UserIdentity = new UserIdentity(2, true, "user"u8.ToArray(), "secret"u8.ToArray()),
            },
        };
        byte[] bytes = ScriptedPeer.Bytes(rq);
        AssociateRq read = Read(bytes).ShouldBeOfType<AssociateRq>();
        ScriptedPeer.Bytes(read).ShouldBe(bytes);
        read.UserInformation.RoleSelections.ShouldBe(rq.UserInformation.RoleSelections);
        read.UserInformation.AsynchronousOperationsWindow.ShouldBe(new AsynchronousOperationsWindow(0, 65_535));
        read.UserInformation.ExtendedNegotiations.ShouldHaveSingleItem().ApplicationInformation.ToArray().ShouldBe([1, 0, 1]);
        CommonExtendedNegotiation common = read.UserInformation.CommonExtendedNegotiations.ShouldHaveSingleItem();
        (common.SOPClassUID, common.ServiceClassUID).ShouldBe(("1.2.3.4", "1.2.840.10008.4.2"));
        common.RelatedGeneralSOPClassUIDs.ShouldBe([SopClasses.CTImageStorage, "1.2"]);
        read.UserInformation.UserIdentityResponse!.Value.ToArray().ShouldBe("ticket"u8.ToArray());
        read.UserInformation.UserIdentity!.SecondaryField.ToArray().ShouldBe("secret"u8.ToArray());
        read.UserInformation.ToString().ShouldNotContain("secret");

        var ac = new AssociateAc
        {
            CalledAETitle = "A",
            CallingAETitle = "SIXTEEN_LETTERS_",
            PresentationContexts = [new AnsweredContext(1, PresentationContextResult.Acceptance, "1.2.840.10008.1.2"),
                new AnsweredContext(255, PresentationContextResult.AbstractSyntaxNotSupported, "")],
            UserInformation = rq.UserInformation,
        };
        AssociateAc readAc = Read(ScriptedPeer.Bytes(ac)).ShouldBeOfType<AssociateAc>();
        readAc.PresentationContexts.ShouldBe(ac.PresentationContexts);
        readAc.CallingAETitle.ShouldBe("SIXTEEN_LETTERS_");
    }

    [Theory]
    [InlineData("04 00 ffffffff", AbortReason.InvalidPduParameterValue)] // 4 GiB
    [InlineData("01 00 00040001", AbortReason.InvalidPduParameterValue)] // one above MaxAssociatePduLength
    [InlineData("04 00 00020001", AbortReason.InvalidPduParameterValue)] // one above MaxPduLength
    [InlineData("04 00 00000005", AbortReason.InvalidPduParameterValue)] // no room for a value
    [InlineData("05 00 00000005", AbortReason.InvalidPduParameterValue)]
    [InlineData("00", AbortReason.UnrecognizedPdu)]
    [InlineData("47", AbortReason.UnrecognizedPdu)] // "G" of GET
    public void A_length_or_type_is_refused_from_the_header(string hex, AbortReason reason) =>
        Should.Throw<DimseProtocolException>(() => Read(Hex(hex))).Reason.ShouldBe(reason);

    [Theory]
    [InlineData("04 00 00000006 00000003 03 00")] // value runs past the PDU
    [InlineData("04 00 00000006 00000001 03 00")] // value shorter than its header
    [InlineData("04 00 00000009 00000002 03 00 010203")] // bytes after the last value
    public void A_value_with_a_wrong_length_is_refused(string hex) =>
        Should.Throw<DimseProtocolException>(() => Read(Hex(hex))).Reason.ShouldBe(AbortReason.InvalidPduParameterValue);

    [Fact]
    public void The_longest_allowed_data_pdu_is_waited_for()
    {
        var buffer = new ReadOnlySequence<byte>(Hex("04 00 00020000"));
        PduReader.TryRead(ref buffer, AssociationLimits.Default, out _).ShouldBeFalse();
        buffer.Length.ShouldBe(6);
    }

    [Fact]
    public void More_presentation_contexts_than_allowed_are_refused()
    {
        var limits = new AssociationLimits { MaxPresentationContexts = 3 };
        var buffer = new ReadOnlySequence<byte>(ScriptedPeer.Bytes(ScriptedPeer.Request()));
        Should.Throw<DimseProtocolException>(() => PduReader.TryRead(ref buffer, limits, out _)).Reason.ShouldBe(AbortReason.InvalidPduParameterValue);
    }

    [Fact]
    public void Limits_out_of_range_are_listed_all_at_once()
    {
        new AssociationLimits { MaxPduLength = 0, ArtimTimeout = Timeout.InfiniteTimeSpan, MaxPresentationContexts = 129 }.Validate().Count.ShouldBe(3);
        AssociationLimits.Default.Validate().ShouldBeEmpty();
    }

    /// <summary>
    /// The oracle: bytes cut anywhere give the same as bytes in one piece; what is read and written again is read as the
    /// same; anything else is a <see cref="DimseProtocolException"/> and no other exception.
    /// </summary>
    [Fact]
    public void Damaged_pdus_are_read_the_same_in_pieces_and_survive_a_round_trip()
    {
        var random = new Random(20240817);
        byte[][] seeds = [Hex(EchoscuAssociateRq), ScriptedPeer.Bytes(ScriptedPeer.Request()),
            Hex("04 00 00000012 00000005 03 03 aabbcc 00000005 05 00 010203"), Hex("07 00 00000004 00 00 02 06"), Hex("03 00 00000004 00 01 01 07")];
        int read = 0;
        int refused = 0;
        for (int round = 0; round < 8_000; round++)
        {
            byte[] bytes = (byte[])seeds[round % seeds.Length].Clone();
            for (int i = random.Next(4); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            if (random.Next(4) == 0)
            {
                bytes = bytes[..random.Next(bytes.Length + 1)];
            }

            string whole = Outcome(new ReadOnlySequence<byte>(bytes), out Pdu? pdu);
            Outcome(Split(bytes, random), out _).ShouldBe(whole, $"round {round}");
            if (pdu is null)
            {
                refused++;
                continue;
            }

            read++;
            byte[] again = ScriptedPeer.Bytes(pdu);
            ScriptedPeer.Bytes(Read(again)).AsSpan().SequenceEqual(again).ShouldBeTrue($"round {round}");
        }

        read.ShouldBeGreaterThan(1_000);
        refused.ShouldBeGreaterThan(1_000);
    }

    private static string Outcome(ReadOnlySequence<byte> buffer, out Pdu? pdu)
    {
        long before = buffer.Length;
        pdu = null;
        try
        {
            return PduReader.TryRead(ref buffer, AssociationLimits.Default, out pdu)
                ? $"{before - buffer.Length} bytes: {Convert.ToHexString(ScriptedPeer.Bytes(pdu))}"
                : $"more than {buffer.Length}";
        }
        catch (DimseProtocolException e)
        {
            return $"{e.Reason} {e.Message}";
        }
    }

    private static ReadOnlySequence<byte> Split(byte[] bytes, Random random)
    {
        Segment first = new(ReadOnlyMemory<byte>.Empty, null);
        Segment last = first;
        for (int start = 0; start < bytes.Length;)
        {
            int length = Math.Min(bytes.Length - start, random.Next(1, 9));
            last = new Segment(bytes.AsMemory(start, length), last);
            start += length;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private static Pdu Read(byte[] bytes)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        PduReader.TryRead(ref buffer, AssociationLimits.Default, out Pdu? pdu).ShouldBeTrue();
        buffer.IsEmpty.ShouldBeTrue();
        return pdu!;
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", ""));

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before is not null)
            {
                RunningIndex = before.RunningIndex + before.Memory.Length;
                before.Next = this;
            }
        }
    }
}
