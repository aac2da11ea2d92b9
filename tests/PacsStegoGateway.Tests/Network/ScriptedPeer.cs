using System.Buffers;
using System.Net;
using System.Net.Sockets;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Network;

/// <summary>A peer that sends exactly the bytes it is told to, and reads PDUs one by one; either side of the connection.</summary>
public sealed class ScriptedPeer : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly NetworkStream _stream;
    private byte[] _received = [];

    public ScriptedPeer(Socket socket)
    {
        socket.NoDelay = true;
        _stream = new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Length field of the longest P-DATA-TF PDU read so far.</summary>
    public long LongestData { get; set; }

    public static async Task<ScriptedPeer> ConnectAsync(int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return new ScriptedPeer(socket);
    }

    /// <summary>Connects and associates with Verification (1), CT Image Storage (3) and the study root query (5, 7).</summary>
    public static async Task<ScriptedPeer> AssociateAsync(int port, uint maxPduLength = 16384)
    {
        ScriptedPeer peer = await ConnectAsync(port);
        await peer.SendAsync(Request(maxPduLength));
        (await peer.ReadAsync()).ShouldBeOfType<AssociateAc>();
        return peer;
    }

    public static AssociateRq Request(uint maxPduLength = 16384) => new()
    {
        CalledAETitle = "GATEWAY",
        CallingAETitle = "MODALITY1",
        PresentationContexts =
        [
            new ProposedContext(SopClasses.Verification, "1.2.840.10008.1.2") { ID = 1 },
            new ProposedContext(SopClasses.CTImageStorage, "1.2.840.10008.1.2.1") { ID = 3 },
            new ProposedContext(SopClasses.StudyRootFind, "1.2.840.10008.1.2") { ID = 5 },
            new ProposedContext(SopClasses.StudyRootMove, "1.2.840.10008.1.2") { ID = 7 },
        ],
        UserInformation = new UserInformation { MaxPduLength = maxPduLength, ImplementationClassUID = "1.2.3" },
    };

    public static byte[] Bytes(Pdu pdu)
    {
        var writer = new ArrayBufferWriter<byte>();
        PduWriter.Write(pdu, writer);
        return writer.WrittenSpan.ToArray();
    }

    public Task SendAsync(Pdu pdu) => SendAsync(Bytes(pdu));

    public async Task SendAsync(params byte[] bytes) => await _stream.WriteAsync(bytes).AsTask().WaitAsync(Deadline);

    /// <summary>One P-DATA-TF PDU with one fragment.</summary>
    public async Task SendFragmentAsync(byte contextID, bool isCommand, bool isLast, byte[] fragment)
    {
        byte[] pdu = new byte[PduWriter.PDataHeaderLength + fragment.Length];
        PduWriter.WritePDataHeader(pdu, contextID, isCommand, isLast, fragment.Length);
        fragment.CopyTo(pdu, PduWriter.PDataHeaderLength);
        await SendAsync(pdu);
    }

    internal Task SendCommandAsync(byte contextID, CommandSet command) => SendFragmentAsync(contextID, true, true, command.ToArray());

    public Task SendDataSetAsync(byte contextID, DataSet dataSet) =>
        SendFragmentAsync(contextID, false, true, DataSetWriter.ToArray(dataSet, TransferSyntax.ImplicitVRLittleEndian));

    /// <summary>The next PDU, or null when the connection is closed.</summary>
    public async Task<Pdu?> ReadAsync()
    {
        byte[] more = new byte[65_536];
        while (true)
        {
            var buffer = new ReadOnlySequence<byte>(_received);
            if (PduReader.TryRead(ref buffer, AssociationLimits.Default, out Pdu? pdu))
            {
                LongestData = Math.Max(LongestData, pdu is PDataTf data ? data.Items.Length : 0);
                _received = buffer.ToArray();
                return pdu;
            }

            int count;
            try
            {
                count = await _stream.ReadAsync(more).AsTask().WaitAsync(Deadline);
            }
            catch (IOException)
            {
                return null;
            }

            if (count == 0)
            {
                return null;
            }

            _received = [.. _received, .. more[..count]];
        }
    }

    /// <summary>The next message: a command in one or more PDUs, and its data set's bytes.</summary>
    internal async Task<(CommandSet Command, byte[] DataSet)> ReadMessageAsync()
    {
        var assembler = new CommandAssembler(65_536);
        CommandSet? command = null;
        List<byte> dataSet = [];
        while (true)
        {
            ReadOnlySequence<byte> items = (await ReadAsync()).ShouldBeOfType<PDataTf>().Items;
            while (PresentationDataValue.TryTake(ref items, out PresentationDataValue value))
            {
                if (value.IsCommand)
                {
                    command = assembler.Append(value) ?? command;
                }
                else
                {
                    dataSet.AddRange(value.Fragment.ToArray());
                }

                if (command is not null && (!command.HasDataSet || (!value.IsCommand && value.IsLast)))
                {
                    return (command, [.. dataSet]);
                }
            }
        }
    }

    /// <summary>The status of the next message, which has no data set.</summary>
    public async Task<DimseStatus> ReadStatusAsync() => (await ReadMessageAsync()).Command.Status;

    public async Task ExpectAbortAsync(byte source, AbortReason reason)
    {
        Abort abort = (await ReadAsync()).ShouldBeOfType<Abort>();
        abort.ShouldBe(new Abort(source, (byte)reason));
    }

    public async Task ReleaseAsync()
    {
        await SendAsync(new ReleaseRq());
        (await ReadAsync()).ShouldBeOfType<ReleaseRp>();
    }

    public void Dispose() => _stream.Dispose();
}
