// What an explorer is; nothing here runs.

/**
 * Values of parameters by name, as in shared/parameters.json.
 * @typedef {Record<string, number>} Parameters
 */

/**
 * What Python hands over besides parameters, and what no reader changes.
 * @typedef {object} Constants
 * @property {number[]} draws_u standard normal weights of the output layer, before they are scaled
 * @property {number[]} draws_w those of the input layer
 * @property {Record<string, import("../solver/scaling.js").Powers>} scalings the named parametrisations
 * @property {import("./table.js").Table} table the results of an experiment, where the explorer browses one
 */

/**
 * What a picture may do to the explorer that it is part of.
 * @typedef {object} Actions
 * @property {(place: number) => void} pickTime go to a place (0…1) of the time axis
 * @property {() => Parameters} read
 * @property {(values: Parameters) => void} set
 * @property {() => void} replay play from the start
 * @property {Constants} constants
 */

/**
 * A part of the one sentence that a picture says; a tone is a role of the palette, or "mixed".
 * @typedef {string | {text: string, tone: string}} Phrase
 */

/**
 * What `compute` answers; each explorer adds what its own view draws.
 * @typedef {object} Result
 * @property {Record<string, unknown>} parameters all that is needed to compute the numbers again
 * @property {Record<string, number>} quantities
 * @property {Phrase | Phrase[]} summary
 * @property {{heading: string, columns?: string[]}} headings
 * @property {number} [mix] the colour of the tone "mixed": 0 is the kernel's, 1 that of feature learning
 */

/**
 * @typedef {object} View
 * @property {(width: number) => void} resize
 * @property {(result: any) => void} draw takes what `compute` answered
 * @property {() => void} keepGhost keeps what is drawn now as the ghost of the last setting
 */

/**
 * @typedef {object} Explorer
 * @property {string} name
 * @property {(keyof Constants)[]} [constants] what `compute` and the view need of them
 * @property {{tiles?: Tile[], columns?: Column[], rows?: string[]}} numbers
 * @property {(parameters: Parameters, constants: Constants) => Result} compute without DOM
 * @property {(container: HTMLElement, actions: Actions) => View} createView
 */

/**
 * One live number: which quantity, what is said after its name, its colour, whether it is small.
 * @typedef {{key: string, note?: string, tone?: string, minor?: boolean}} Tile
 */

/**
 * One column of a table of live numbers: its quantities are the rows' with the prefix.
 * @typedef {{prefix: string, name: string, tone: string}} Column
 */

export {};
