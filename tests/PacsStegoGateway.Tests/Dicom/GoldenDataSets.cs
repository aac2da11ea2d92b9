using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Dicom;

/// <summary>Small data sets as bytes, each line one structure of PS3.5.</summary>
public static class GoldenDataSets
{
    /// <summary>Nested sequences of both length forms, odd value, private block, UN sequence, group length, fragments.</summary>
    public static readonly byte[] ExplicitLittleEndian = Hex(
        "0800 0000 554C 0400 5A000000",                         // (0008,0000) UL 4: group length
        "0800 0500 4353 0A00 49534F5F495220313030",             // (0008,0005) CS 10 "ISO_IR 100"
        "0800 6000 4353 0200 4D52",                             // (0008,0060) CS 2 "MR"
        "0800 4011 5351 0000 32000000",                         // (0008,1140) SQ 50: counted
        "  FEFF 00E0 12000000",                                 //   item, 18 bytes
        "    0800 5511 5549 0A00 312E322E332E342E3500",         //     (0008,1155) UI 10 "1.2.3.4.5" NUL
        "  FEFF 00E0 FFFFFFFF",                                 //   item, delimited, empty
        "  FEFF 0DE0 00000000",                                 //   end of item
        "  FEFF 00E0 00000000",                                 //   item, 0 bytes
        "0900 1000 4C4F 0600 41434D452020",                     // (0009,0010) LO 6 "ACME  "
        "0900 0110 554E 0000 FFFFFFFF",                         // (0009,1001) UN sequence, Implicit VR inside
        "  FEFF 00E0 FFFFFFFF",                                 //   item
        "    0800 1511 FFFFFFFF",                               //     (0008,1115) SQ by the dictionary
        "      FEFF 00E0 00000000",                             //       item
        "    FEFF DDE0 00000000",                               //     end of sequence
        "    0900 0210 04000000 01020304",                      //     (0009,1002) 4 bytes
        "  FEFF 0DE0 00000000",                                 //   end of item
        "FEFF DDE0 00000000",                                   // end of sequence
        "1000 1000 504E 0300 415E42",                           // (0010,0010) PN 3: odd
        "E07F 1000 4F42 0000 FFFFFFFF",                         // (7FE0,0010) OB encapsulated
        "  FEFF 00E0 04000000 00000000",                        //   offset table
        "  FEFF 00E0 06000000 FFD80102FFD9",                    //   fragment
        "FEFF DDE0 00000000");                                  // end of fragments

    public static readonly byte[] ImplicitLittleEndian = Hex(
        "0800 6000 02000000 4354",                              // (0008,0060) "CT"
        "0800 4011 FFFFFFFF",                                   // (0008,1140) delimited
        "  FEFF 00E0 12000000",                                 //   item, 18 bytes
        "    0800 5511 0A000000 312E322E332E342E3500",          //     (0008,1155)
        "FEFF DDE0 00000000",                                   // end of sequence
        "0900 0110 FFFFFFFF",                                   // (0009,1001) private, so delimited that it must be SQ
        "  FEFF 00E0 FFFFFFFF",                                 //   item
        "  FEFF 0DE0 00000000",                                 //   end of item
        "FEFF DDE0 00000000",                                   // end of sequence
        "2800 0301 02000000 0100",                              // (0028,0103) Pixel Representation 1: signed
        "2800 0601 02000000 30F8",                              // (0028,0106) US or SS: -2000
        "E07F 1000 04000000 01020304");                         // (7FE0,0010)

    public static readonly byte[] ExplicitBigEndian = Hex(
        "0008 0060 4353 0002 4D52",                             // (0008,0060) CS "MR"
        "0008 1140 5351 0000 FFFFFFFF",                         // (0008,1140) SQ delimited
        "  FFFE E000 0000000A",                                 //   item, 10 bytes
        "    0028 0010 5553 0002 0102",                         //     (0028,0010) US 258
        "FFFE E0DD 00000000",                                   // end of sequence
        "0028 0009 4154 0004 0018 1063",                        // (0028,0009) AT (0018,1063)
        "0028 0010 5553 0002 0200",                             // (0028,0010) US 512
        "0028 9503 554C 0004 00010203",                         // (0028,9503) UL 66051
        "7FE0 0010 4F57 0000 00000003 010203");                 // (7FE0,0010) OW, one word and a stray byte

    /// <summary>The hexadecimal digits of all lines, blanks ignored.</summary>
    public static byte[] Hex(params string[] lines) =>
        Convert.FromHexString(string.Concat(lines).Replace(" ", "", StringComparison.Ordinal));

    public static TheoryData<string> Names => [nameof(ExplicitLittleEndian), nameof(ImplicitLittleEndian), nameof(ExplicitBigEndian)];

    public static (byte[] Bytes, TransferSyntax Syntax) Of(string name) => name switch
    {
        nameof(ExplicitLittleEndian) => (ExplicitLittleEndian, TransferSyntax.Of("1.2.840.10008.1.2.4.50")),
        nameof(ImplicitLittleEndian) => (ImplicitLittleEndian, TransferSyntax.ImplicitVRLittleEndian),
        _ => (ExplicitBigEndian, TransferSyntax.ExplicitVRBigEndian),
    };
}
