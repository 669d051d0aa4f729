;; A ferry that takes one car at a time. Upper case, a constant, `either`, equality and negative
;; conditions are here on purpose.
(DEFINE (domain Ferry)
  (:requirements :strips :typing :equality :negative-preconditions)
  (:types port - place car boat - thing place thing)
  (:constants Ship - boat)
  (:predicates (at ?x - (either car boat) ?p - port) (aboard ?c - car) (loaded))
  (:action sail-to
    :parameters (?from ?to - port)
    :precondition (and (at ship ?from) (not (= ?from ?to)))
    :effect (and (at ship ?to) (not (at ship ?from))))
  (:action board
    :parameters (?c - car ?p - port)
    :precondition (and (at ?c ?p) (at ship ?p) (not (loaded)))
    :effect (and (aboard ?c) (loaded) (not (at ?c ?p))))
  (:action debark
    :parameters (?c - car ?p - port)
    :precondition (and (aboard ?c) (at ship ?p))
    :effect (and (at ?c ?p) (not (aboard ?c)) (not (loaded)))))
